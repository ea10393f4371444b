# SPDX-License-Identifier: Apache-2.0
# What is installed, and the packages that it is split into: runtime (the library), dev (headers, find_package, pkg-config), tools (the programs). The tree
# can be put anywhere: programs find the library beside themselves.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS amzsync EXPORT amzsync-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT dev
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET amzsync_archive)
  install(FILES ${CMAKE_ARCHIVE_OUTPUT_DIRECTORY}/libamzsync.a DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
endif()
install(DIRECTORY include/amzsync DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/amzsync)
install(EXPORT amzsync-targets NAMESPACE amzsync:: DESTINATION ${config_dir} COMPONENT dev)
configure_package_config_file(cmake/amzsync-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/amzsync-config.cmake INSTALL_DESTINATION ${config_dir}
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
# Below 1.0 a minor version may break what was there.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/amzsync-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/amzsync-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/amzsync-config-version.cmake DESTINATION ${config_dir} COMPONENT dev)

list(TRANSFORM AMZSYNC_STATIC_NEEDS PREPEND "-l" OUTPUT_VARIABLE AMZSYNC_LIBS_PRIVATE)
list(JOIN AMZSYNC_LIBS_PRIVATE " " AMZSYNC_LIBS_PRIVATE)
file(RELATIVE_PATH AMZSYNC_UP /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/amzsync.pc.in ${CMAKE_CURRENT_BINARY_DIR}/amzsync.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/amzsync.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

foreach(program amzsync-cli amzsync-sim amzsync-host)
  if(TARGET ${program})
    set_target_properties(${program} PROPERTIES INSTALL_RPATH "\$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
  endif()
endforeach()

# Manual pages are what the programs say of themselves.
find_program(HELP2MAN help2man)
if(HELP2MAN AND NOT AMZSYNC_SANITIZE AND TARGET amzsync-cli AND TARGET amzsync-host)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/man)
  foreach(program amzsync-cli amzsync-sim amzsync-host)
    string(REPLACE -cli "" name ${program})
    set(page ${PROJECT_BINARY_DIR}/man/${name}.1)
    add_custom_command(OUTPUT ${page} COMMAND ${PROJECT_SOURCE_DIR}/tools/package/man.sh $<TARGET_FILE:${program}> ${page}
      DEPENDS ${program} ${PROJECT_SOURCE_DIR}/tools/package/man.sh VERBATIM)
    list(APPEND pages ${page})
  endforeach()
  add_custom_target(man ALL DEPENDS ${pages})
  install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools)
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME amzsync)
set(CPACK_PACKAGE_VENDOR "The amzsync authors")
set(CPACK_PACKAGE_CONTACT "The amzsync authors <authors@amzsync.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Syncs Amazon sellers' money, stock and reports into a database")
set(CPACK_PACKAGE_HOMEPAGE_URL "https://amzsync.invalid")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/package)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL runtime dev tools)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})   # the tools' own library
set(CPACK_DEBIAN_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libamzsync${AMZSYNC_ABI_VERSION})
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libamzsync-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "libcurl4-openssl-dev, libsqlite3-dev, libssl-dev, zlib1g-dev, libsimdjson-dev, libpq-dev")   # for the archive
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libamzsync${AMZSYNC_ABI_VERSION} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME amzsync-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "libamzsync${AMZSYNC_ABI_VERSION} (= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "The shared library.")
set(CPACK_COMPONENT_DEV_DESCRIPTION "Headers, an archive to link statically, and what find_package and pkg-config read.")
set(CPACK_COMPONENT_TOOLS_DESCRIPTION "The command line, the example host and the simulator of Amazon.")
include(CPack)
