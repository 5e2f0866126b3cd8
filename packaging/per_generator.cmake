# SPDX-License-Identifier: Apache-2.0
# Read by cpack, once for each kind of package: what only one of them has.
if(CPACK_GENERATOR STREQUAL "DEB")
  set(CPACK_COMPONENTS_ALL programs debian)
  # It takes the debug symbols out itself, into a package of their own.
  set(CPACK_STRIP_FILES OFF)
elseif(CPACK_GENERATOR STREQUAL "RPM")
  set(CPACK_COMPONENTS_ALL programs rpm)
  set(CPACK_STRIP_FILES ON)
endif()
