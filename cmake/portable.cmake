# SPDX-License-Identifier: Apache-2.0
# What goes into packages is built so that it runs on more than the machine it was built on, says nothing of where it
# was built, and is as hard to abuse as the compiler can make it.

# spdlog and fmt change their ABI with every release, and distributions disagree on the release.
set_target_properties(spdlog::spdlog_header_only PROPERTIES
  INTERFACE_LINK_LIBRARIES "Threads::Threads;fmt::fmt-header-only")
set(AUDITSHIFT_SPDLOG spdlog::spdlog_header_only)

# The last one that fits counts.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${PROJECT_BINARY_DIR}=./build)
# Link-time optimisation compiles at the link, and writes where that was into the debugging information.
add_link_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${PROJECT_BINARY_DIR}=./build)

# Names of symbols that only debugging information has, which would be another random number with each compilation.
string(APPEND CMAKE_C_COMPILE_OBJECT " -frandom-seed=<OBJECT>")
string(APPEND CMAKE_CXX_COMPILE_OBJECT " -frandom-seed=<OBJECT>")

add_compile_options(-fstack-protector-strong -fstack-clash-protection)
if(NOT AUDITSHIFT_SANITIZE)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  add_compile_options(-fcf-protection)
endif()
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,--build-id=sha1)

# Across files, and what nobody calls is left out.
include(CheckIPOSupported)
check_ipo_supported(LANGUAGES CXX)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
