# SPDX-License-Identifier: Apache-2.0
# amzsync_embed_migrations(<target> <database>): makes the numbered SQL files of src/store/schema/<database> part of the program.
function(amzsync_embed_migrations target database)
  set(folder ${PROJECT_SOURCE_DIR}/src/store/schema/${database})
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.sql)
  list(SORT files)
  set(entries "")
  set(parts "")
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME)
    string(REGEX MATCH "^0*([0-9]+)_" ignored ${name})
    set(version ${CMAKE_MATCH_1})
    file(READ ${file} sql)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    # A string literal holds 65,535 bytes at most by the standard; the schema is cut well below.
    string(LENGTH "${sql}" size)
    if(size GREATER 60000)
      message(FATAL_ERROR "${name} is too long to embed; cut it in two")
    endif()
    string(APPEND parts "constexpr std::string_view kStep${version} = R\"amzsync(${sql})amzsync\";\n")
    string(APPEND entries "    {${version}, kStep${version}},\n")
  endforeach()
  set(out ${PROJECT_BINARY_DIR}/generated/${database}_migrations.cpp)
  file(CONFIGURE OUTPUT ${out} CONTENT "// Generated from src/store/schema/${database}
#include \"store/migrations.hpp\"
namespace amzsync::store {
namespace {
${parts}constexpr Migration kSteps[] = {
${entries}};
}  // namespace
std::span<const Migration> ${database}_migrations() { return kSteps; }
}  // namespace amzsync::store
" @ONLY)
  target_sources(${target} PRIVATE ${out})
endfunction()

# amzsync_embed_policy(<target>): makes policy/*.json part of the program.
function(amzsync_embed_policy target)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/policy/*.json)
  list(SORT files)
  set(cases "")
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME)
    file(READ ${file} text)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    string(APPEND cases "  if (name == \"${name}\") return R\"amzsync(${text})amzsync\";\n")
  endforeach()
  set(out ${PROJECT_BINARY_DIR}/generated/policy_files.cpp)
  file(CONFIGURE OUTPUT ${out} CONTENT "// Generated from policy
#include \"detect/policy_files.hpp\"
namespace amzsync::detect {
std::string_view policy_file(std::string_view name) noexcept {
${cases}  return {};
}
}  // namespace amzsync::detect
" @ONLY)
  target_sources(${target} PRIVATE ${out})
endfunction()
