# SPDX-License-Identifier: GPL-3.0-or-later
# What is installed besides the program: libwalras.a, the public headers under include/walras, and
# what find_package(walras CONFIG) and pkg-config need. The prefix may be moved afterwards.

include(CMakePackageConfigHelpers)

# Public is library/walras.h, and every header that it leads to.
function(wal_public_headers out)
  set(waiting library/walras.h)
  set(found "")
  while(waiting)
    list(POP_FRONT waiting header)
    list(APPEND found "${header}")
    file(STRINGS "${PROJECT_SOURCE_DIR}/${header}" lines REGEX "^#include \"[^\"]+\"")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^#include \"([^\"]+)\".*" "\\1" included "${line}")
      if(NOT included IN_LIST found AND NOT included IN_LIST waiting)
        list(APPEND waiting "${included}")
      endif()
    endforeach()
  endwhile()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

# Everything that a target links in the end, as paths and names of libraries; not MPI.
function(wal_gather_libraries out target)
  set(all ${${out}})
  get_target_property(libraries ${target} INTERFACE_LINK_LIBRARIES)
  foreach(library IN LISTS libraries)
    if(TARGET "${library}")
      wal_gather_libraries(all "${library}")
    elseif(library)
      list(APPEND all "${library}")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES all)
  set(${out} "${all}" PARENT_SCOPE)
endfunction()

# One archive of all modules. What it needs is written down as found here: an MPI program must not
# be linked with another HDF5 or MPI than it was compiled for.
add_library(walras_library STATIC)
foreach(wal_module_target IN LISTS WAL_MODULE_TARGETS)
  target_sources(walras_library PRIVATE $<TARGET_OBJECTS:${wal_module_target}>)
endforeach()
set_target_properties(walras_library PROPERTIES OUTPUT_NAME walras EXPORT_NAME walras
                      LINKER_LANGUAGE C)
set(WAL_LIBRARIES "")
foreach(wal_need IN ITEMS hdf5 lua jansson sleef gsl blas)
  wal_gather_libraries(WAL_LIBRARIES walras::${wal_need})
endforeach()
list(APPEND WAL_LIBRARIES m)

set(wal_include_folder "${CMAKE_INSTALL_INCLUDEDIR}/walras")
target_include_directories(walras_library INTERFACE $<INSTALL_INTERFACE:${wal_include_folder}>)
install(TARGETS walras_library EXPORT walrasTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

wal_public_headers(WAL_PUBLIC_HEADERS)
foreach(header IN LISTS WAL_PUBLIC_HEADERS)
  cmake_path(GET header PARENT_PATH folder)
  if(header STREQUAL "library/walras.h")
    set(folder "")
  endif()
  install(FILES "${header}" DESTINATION "${wal_include_folder}/${folder}")
endforeach()

set(wal_config_folder "${CMAKE_INSTALL_LIBDIR}/cmake/walras")
install(EXPORT walrasTargets NAMESPACE walras:: DESTINATION "${wal_config_folder}")
configure_package_config_file(cmake/walrasConfig.cmake.in "${PROJECT_BINARY_DIR}/walrasConfig.cmake"
                              INSTALL_DESTINATION "${wal_config_folder}")
# Before 1.0 every minor version may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/walrasConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/walrasConfig.cmake"
              "${PROJECT_BINARY_DIR}/walrasConfigVersion.cmake" DESTINATION "${wal_config_folder}")

# pkg-config: the same in its words.
set(wal_pc_folder "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH WAL_PC_PREFIX "/prefix/${wal_pc_folder}" "/prefix")
string(REGEX REPLACE "/$" "" WAL_PC_PREFIX "${WAL_PC_PREFIX}")
set(WAL_PC_LIBS "")
set(wal_pc_libraries ${WAL_LIBRARIES} ${MPI_C_LIBRARIES})
list(REMOVE_DUPLICATES wal_pc_libraries)
foreach(library IN LISTS wal_pc_libraries)
  if(library MATCHES "^[A-Za-z0-9_+.]+$")
    set(library "-l${library}")
  endif()
  string(APPEND WAL_PC_LIBS " ${library}")
endforeach()
set(WAL_PC_CFLAGS "")
foreach(folder IN LISTS MPI_C_INCLUDE_DIRS)
  string(APPEND WAL_PC_CFLAGS " -I${folder}")
endforeach()
configure_file(cmake/walras.pc.in "${PROJECT_BINARY_DIR}/walras.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/walras.pc" DESTINATION "${wal_pc_folder}")

# The reference of the public headers, if Doxygen is there.
find_program(WALRAS_DOXYGEN doxygen)
mark_as_advanced(WALRAS_DOXYGEN)
set(wal_headers ${WAL_PUBLIC_HEADERS})
list(TRANSFORM wal_headers PREPEND "${PROJECT_SOURCE_DIR}/")
list(JOIN wal_headers " " wal_headers)
set(WAL_DOXYGEN_ENVIRONMENT "WALRAS_HEADERS=${wal_headers}" "WALRAS_SOURCE=${PROJECT_SOURCE_DIR}"
    "WALRAS_REFERENCE=${PROJECT_BINARY_DIR}/reference" "WALRAS_VERSION=${PROJECT_VERSION}")
if(WALRAS_DOXYGEN)
  add_custom_target(reference VERBATIM
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${PROJECT_BINARY_DIR}/reference"
    COMMAND "${CMAKE_COMMAND}" -E env ${WAL_DOXYGEN_ENVIRONMENT}
            "${WALRAS_DOXYGEN}" "${PROJECT_SOURCE_DIR}/docs/Doxyfile"
    COMMENT "Reference of the public headers, into reference/html")
endif()
