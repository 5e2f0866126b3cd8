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

# auditshift_precompile(target HEADERS headers... | REUSE target): these headers, which cost more than the sources that
# include them, are compiled once, for programs. CMAKE_DISABLE_PRECOMPILE_HEADERS turns it off: every source still
# includes what it needs.
function(auditshift_precompile target)
  cmake_parse_arguments(ARG "" "REUSE" "HEADERS" ${ARGN})
  if(ARG_REUSE)
    target_precompile_headers(${target} REUSE_FROM ${ARG_REUSE})
  else()
    target_precompile_headers(${target} PRIVATE ${ARG_HEADERS})
    # As programs are compiled, not as libraries are.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIE)
  endif()
  # For ccache.
  target_compile_options(${target} PRIVATE
    $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess> "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
endfunction()

# auditshift_plain(target): not optimised where sanitizers look on: to optimise what they add takes longer than such a
# program runs.
function(auditshift_plain target)
  if(AUDITSHIFT_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# auditshift_fuzzed(target): libFuzzer sees which ways through it an input takes.
function(auditshift_fuzzed target)
  if(AUDITSHIFT_FUZZ)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=fuzzer-no-link>)
  endif()
endfunction()

# auditshift_library(folder SOURCES... [LIBRARIES libs...]): one folder, one library, one namespace.
function(auditshift_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(auditshift_${name} STATIC ${ARG_SOURCES})
  add_library(auditshift::${name} ALIAS auditshift_${name})
  auditshift_together(auditshift_${name})
  auditshift_fuzzed(auditshift_${name})
  target_link_libraries(auditshift_${name} PUBLIC auditshift_options ${ARG_LIBRARIES})
endfunction()
