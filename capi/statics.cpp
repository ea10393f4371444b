// SPDX-License-Identifier: Apache-2.0
// The library's static objects are never destroyed: threads use them to the last moment, and so do engines that are closed in destructors of the host's. What a function keeps is made
// when it is first called, and would be destroyed before all that was registered earlier, halt_at_exit's work among it. Hidden, so that it concerns this library's objects alone.

extern "C" __attribute__((visibility("hidden"))) int __cxa_atexit(void (*destroy)(void*), void* object, void* library);   // NOLINT: the C++ ABI's name for it
extern "C" int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }                                                   // NOLINT
