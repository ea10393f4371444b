# SPDX-License-Identifier: Apache-2.0
# How everything is compiled: the warnings, the sanitizers, the quirks of compiler and libraries.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
find_package(Threads REQUIRED)

find_program(AMZSYNC_CCACHE ccache)
if(AMZSYNC_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${AMZSYNC_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${AMZSYNC_CCACHE})
endif()

add_library(amzsync_compiler INTERFACE)
target_compile_options(amzsync_compiler INTERFACE -Wall -Wextra -Wshadow $<$<BOOL:${AMZSYNC_WERROR}>:-Werror>
  # g++ 12 takes the frames of Asio's coroutines for mismatched allocations, and sees std::string overrun itself (PR 105329, 105651).
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-Wno-mismatched-new-delete;-Wno-array-bounds;-Wno-restrict;-Wno-stringop-overread;-Wno-stringop-overflow>
  # A name that is unique in the whole process can be made local in no object (the archive).
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-fno-gnu-unique>)
target_compile_definitions(amzsync_compiler INTERFACE
  ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_SEPARATE_COMPILATION
  # Asio 1.22 decides by which standard header came first whether aligned_alloc exists, so that translation units disagree
  # about how to free a coroutine's frame.
  ASIO_DISABLE_STD_ALIGNED_ALLOC
  # It knows the coroutines of clang's old experiment only.
  "$<$<CXX_COMPILER_ID:Clang>:ASIO_HAS_CO_AWAIT;ASIO_HAS_STD_COROUTINE>")
target_link_libraries(amzsync_compiler INTERFACE Threads::Threads)

if(AMZSYNC_SANITIZE)
  # In instrumented code g++ sees uninitialised values that are none (its manual, under -fsanitize).
  target_compile_options(amzsync_compiler INTERFACE $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-Wno-maybe-uninitialized>)
endif()
if(AMZSYNC_SANITIZE STREQUAL "address+undefined")
  target_compile_options(amzsync_compiler INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(amzsync_compiler INTERFACE -fsanitize=address,undefined)
elseif(AMZSYNC_SANITIZE STREQUAL "thread")
  target_compile_options(amzsync_compiler INTERFACE -fsanitize=thread)
  # The sanitizer knows no bare fences; Asio has them around handlers, which its own mutexes order as well.
  target_compile_definitions(amzsync_compiler INTERFACE ASIO_DISABLE_FENCED_BLOCK BOOST_ASIO_DISABLE_FENCED_BLOCK)
  target_link_options(amzsync_compiler INTERFACE -fsanitize=thread)
elseif(AMZSYNC_SANITIZE STREQUAL "fuzzer")
  # What the fuzzer steers by, and what tells afterwards which lines it came to. clang only.
  target_compile_options(amzsync_compiler INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(amzsync_compiler INTERFACE -fsanitize=address,undefined -fprofile-instr-generate)
elseif(AMZSYNC_SANITIZE)
  message(FATAL_ERROR "AMZSYNC_SANITIZE must be address+undefined, thread or fuzzer, not ${AMZSYNC_SANITIZE}")
endif()
