# Install rules: libraries, headers, the command, a CMake package and pkg-config files.
include(CMakePackageConfigHelpers)

set(COHUB_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/cohub)

set(installed cohub)
if(COHUB_BUILD_SERVER)
  list(APPEND installed cohub_server)
endif()
# As shared libraries (BUILD_SHARED_LIBS): found by each other and by the command wherever they are
# installed; before 1.0 each minor version has a binary interface of its own. A place to look in is given
# only to what needs one: until the install, CMake holds its room with empty entries, each of which makes
# the loader look in whatever folder the program is called in.
set_target_properties(${installed} PROPERTIES SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
if(COHUB_BUILD_SERVER)
  set_target_properties(cohub_server PROPERTIES INSTALL_RPATH $ORIGIN)
endif()
get_target_property(type cohub TYPE)
# Each its own set of targets: who uses one alone needs none of what the other does.
foreach(target IN LISTS installed)
  string(REPLACE _ - set ${target})
  install(TARGETS ${target} EXPORT ${set}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT ${set} NAMESPACE cohub:: FILE ${set}-targets.cmake DESTINATION ${COHUB_PACKAGE_DIR})
endforeach()
if(COHUB_BUILD_TOOL)
  if(type STREQUAL SHARED_LIBRARY)
    file(RELATIVE_PATH bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
    set_target_properties(cohub_tool PROPERTIES INSTALL_RPATH $ORIGIN/${bin_to_lib})
  endif()
  install(TARGETS cohub_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
# Frameworks are components: who does not ask for them needs none of their packages.
foreach(part torch xgboost)
  if(TARGET cohub_${part})
    set_target_properties(cohub_${part} PROPERTIES
      SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} INSTALL_RPATH $ORIGIN)
    install(TARGETS cohub_${part} EXPORT cohub_${part}
      ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
      LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
      FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(EXPORT cohub_${part} NAMESPACE cohub:: FILE cohub-${part}-targets.cmake
      DESTINATION ${COHUB_PACKAGE_DIR})
  endif()
endforeach()
if(TARGET cohub_xgboost)
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/FindXGBoost.cmake DESTINATION ${COHUB_PACKAGE_DIR})
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/cohub-config.cmake.in
  ${PROJECT_BINARY_DIR}/cohub-config.cmake INSTALL_DESTINATION ${COHUB_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cohub-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cohub-config.cmake ${PROJECT_BINARY_DIR}/cohub-config-version.cmake
  DESTINATION ${COHUB_PACKAGE_DIR})

# The prefix is told relative to the file, which is right wherever `cmake --install --prefix` puts it.
file(RELATIVE_PATH COHUB_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" COHUB_PC_TO_PREFIX ${COHUB_PC_TO_PREFIX})
# A static library needs all that it uses in the link of its users; a shared one has it already.
set(COHUB_PC_NEEDS "Requires:")
set(COHUB_PC_SERVER_NEEDS ",")
if(type STREQUAL SHARED_LIBRARY)
  set(COHUB_PC_NEEDS "Requires.private:")
  set(COHUB_PC_SERVER_NEEDS "\nRequires.private:")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/cohub.pc.in ${PROJECT_BINARY_DIR}/cohub.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cohub.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(COHUB_BUILD_SERVER)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/cohub-server.pc.in ${PROJECT_BINARY_DIR}/cohub-server.pc
    @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/cohub-server.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
