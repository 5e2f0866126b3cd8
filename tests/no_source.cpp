// SPDX-License-Identifier: Apache-2.0
// Nothing: a target must have a source, and this one has headers only.
