# SPDX-License-Identifier: Apache-2.0
# CPack's settings, and the scripts that the package managers run.
file(READ scripts/transaction.sh TRANSACTION_SH)
file(READ scripts/leave.sh LEAVE_SH)
foreach(part TRANSACTION_SH LEAVE_SH)
  # Without the lines that are for their reader here.
  string(REGEX REPLACE "^#[^\n]*\n#[^\n]*\n" "" ${part} "${${part}}")
  string(STRIP "${${part}}" ${part})
endforeach()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS scripts/transaction.sh scripts/leave.sh)
foreach(script postinst prerm postrm)
  configure_file(debian/${script}.in ${WORK}/debian/${script} @ONLY
    FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
endforeach()
file(WRITE ${WORK}/debian/conffiles "/etc/default/auditshift-sensord\n")
# To rpm a percent sign is the begin of a macro.
string(REPLACE "%" "%%" TRANSACTION_SH "${TRANSACTION_SH}")
string(REPLACE "%" "%%" LEAVE_SH "${LEAVE_SH}")
foreach(script post preun postun)
  configure_file(rpm/${script}.sh.in ${WORK}/rpm/${script}.sh @ONLY)
endforeach()

set(AUDITSHIFT_PACKAGE_RELEASE 1 CACHE STRING "The package's release of this version")

set(CPACK_PACKAGE_NAME auditshift)
set(CPACK_PACKAGE_VENDOR "auditshift")
set(CPACK_PACKAGE_CONTACT "auditshift maintainers <maintainers@auditshift.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "moves hosts from auditd-fed endpoint sensing to eBPF")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_GENERATOR "DEB;RPM")
# What xz makes with several threads depends on their number.
set(CPACK_THREADS 1)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_SOURCE_DIR}/per_generator.cmake)
# One package of those components that per_generator.cmake chooses.
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_RPM_COMPONENT_INSTALL ON)

set(DESCRIPTION
"Endpoint agents used to take their events from auditd and moved to eBPF;
their audit rules and exclusions stayed behind. auditshift assesses a host,
plans the move, carries it out step by step with a journal, verifies it, and
can bring the host back to what it was. It comes with a sensor of its own.
Installing it changes nothing on the host: no switch begins and no sensor
starts before it is told to.")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "${DESCRIPTION}")
set(CPACK_RPM_PACKAGE_DESCRIPTION "${DESCRIPTION}")

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${AUDITSHIFT_PACKAGE_RELEASE})
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# deb-systemd-invoke, for the upgrade
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers (>= 1.54)")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "auditd")
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_DEBUGINFO_PACKAGE ON)
set(CPACK_POST_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/mend_debug_symbols.cmake)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${WORK}/debian/conffiles ${WORK}/debian/postinst ${WORK}/debian/prerm ${WORK}/debian/postrm)

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_RELEASE ${AUDITSHIFT_PACKAGE_RELEASE})
set(CPACK_RPM_PACKAGE_LICENSE "Apache-2.0 AND (GPL-2.0-only OR BSD-2-Clause)")
set(CPACK_RPM_PACKAGE_GROUP System)
set(CPACK_RPM_COMPRESSION_TYPE xz)
set(CPACK_RPM_PACKAGE_RELOCATABLE OFF)
# Libraries are required by the names and versions that the programs ask the loader for: the same on every
# distribution, whatever it calls the packages.
set(CPACK_RPM_PACKAGE_AUTOREQ ON)
set(CPACK_RPM_PACKAGE_AUTOPROV ON)
set(CPACK_RPM_USER_FILELIST "%config(noreplace) /etc/default/auditshift-sensord")
# Directories that every system of this kind has. Others, such as those of shells that may not be there, belong to this
# package, too, and go with the last one that has them.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
  /etc /etc/default /usr/sbin /usr/lib/systemd /usr/lib/systemd/system /usr/lib/systemd/system/multi-user.target.wants
  /usr/share/man /usr/share/man/man8)
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE ${WORK}/rpm/post.sh)
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${WORK}/rpm/preun.sh)
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE ${WORK}/rpm/postun.sh)
# Same sources, same bytes: no name of the machine, no time but that of SOURCE_DATE_EPOCH. The package is not built on
# the distribution it is for, so rpm's own post-processing of that distribution is left out.
set(CPACK_RPM_SPEC_MORE_DEFINE
"%define use_source_date_epoch_as_buildtime 1
%define clamp_mtime_to_source_date_epoch 1
%define _buildhost reproducible
%define __os_install_post %{nil}
%define _build_id_links none")

include(CPack)
