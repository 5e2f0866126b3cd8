# SPDX-License-Identifier: Apache-2.0
# What every target of this project shares: warnings, sanitizers, the include root.

add_library(auditshift_options INTERFACE)
target_include_directories(auditshift_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(auditshift_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Werror
  $<$<COMPILE_LANGUAGE:CXX>:-Wconversion -Wnon-virtual-dtor -Woverloaded-virtual>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 reports overlaps inside std::string that are not there (GCC bug 105651).
  target_compile_options(auditshift_options INTERFACE -Wno-restrict)
endif()
if(AUDITSHIFT_SANITIZE)
  target_compile_options(auditshift_options INTERFACE
    -fsanitize=${AUDITSHIFT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(auditshift_options INTERFACE -fsanitize=${AUDITSHIFT_SANITIZE})
endif()

# auditshift_together(target): its sources are compiled some at a time, which costs a third of the processor time,
# most of which goes into headers.
function(auditshift_together target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${AUDITSHIFT_UNITY} UNITY_BUILD_BATCH_SIZE 8)
endfunction()
# auditshift_apart(SOURCES...): but these one by one, because they use the same local names: tables, test fixtures.
function(auditshift_apart)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# auditshift_library(folder SOURCES... [LIBRARIES libs...]): one folder, one library, one namespace.
function(auditshift_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(auditshift_${name} STATIC ${ARG_SOURCES})
  add_library(auditshift::${name} ALIAS auditshift_${name})
  auditshift_together(auditshift_${name})
  target_link_libraries(auditshift_${name} PUBLIC auditshift_options ${ARG_LIBRARIES})
endfunction()
