// SPDX-License-Identifier: Apache-2.0
// struct audit_rule_data, as it travels between user space and kernel.
#include <linux/audit.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "auditd/fields.h"
#include "auditd/kernel.h"
#include "auditd/syscalls.h"

namespace auditshift::auditd {
namespace {

constexpr std::uint32_t kLoginuidSet = 24;  // AUDIT_LOGINUID_SET

base::Error malformed(const std::string& reason) {
  return {base::Errc::invalid, "malformed rule from the kernel: " + reason};
}

bool known_list(std::uint32_t list) { return list <= 1 || (list >= 4 && list <= 7); }

bool known_operator(std::uint32_t flags) {
  switch (static_cast<Op>(flags)) {
    case Op::equal:
    case Op::not_equal:
    case Op::less:
    case Op::less_or_equal:
    case Op::greater:
    case Op::greater_or_equal:
    case Op::bit_mask:
    case Op::bit_test:
      return true;
  }
  return false;
}

/// The bits of AUDIT_OPERATORS, with those of < and > that its definition in <linux/audit.h> leaves to |.
constexpr std::uint32_t kOperatorBits = 0x78000000;

base::Result<Field> read_field(const audit_rule_data& data, std::size_t index, std::string_view& texts) {
  Field field;
  field.id = data.fields[index] & ~kOperatorBits;
  const std::uint32_t op = data.fieldflags[index] & kOperatorBits;
  if (!known_operator(op)) return malformed("field " + std::to_string(index) + " has no operator");
  field.op = static_cast<Op>(op);
  field.value = data.values[index];
  if (is_text_field(field.id)) {
    if (field.value > texts.size()) return malformed("a text is longer than the rule");
    field.text = texts.substr(0, field.value);
    texts.remove_prefix(field.value);
  } else if (field.id == kLoginuidSet && field.value == 0) {
    // "auid unset" in the kernel's own words; auditctl prints and takes it as auid=4294967295.
    field.id = AUDIT_LOGINUID;
    field.value = kUnset;
  }
  return field;
}

}  // namespace

base::Result<Rule> from_kernel(const audit_rule_data* data, std::size_t size) {
  if (data == nullptr || size < sizeof(audit_rule_data)) return malformed("it is too short");
  audit_rule_data head;
  std::memcpy(&head, data, sizeof head);
  if (head.field_count > AUDIT_MAX_FIELDS) return malformed("it has too many fields");
  if (head.buflen > size - sizeof head) return malformed("its texts are longer than the message");
  const std::uint32_t list = head.flags & ~static_cast<std::uint32_t>(AUDIT_FILTER_PREPEND);
  if (!known_list(list)) return malformed("there is no list " + std::to_string(list));
  if (head.action > AUDIT_ALWAYS) return malformed("there is no action " + std::to_string(head.action));

  Rule rule;
  rule.verb = (head.flags & AUDIT_FILTER_PREPEND) != 0 ? RuleVerb::prepend : RuleVerb::append;
  rule.filter = static_cast<Filter>(list);
  rule.action = static_cast<Action>(head.action);
  std::copy(std::begin(head.mask), std::end(head.mask), rule.syscalls.begin());
  std::string_view texts(reinterpret_cast<const char*>(data) + sizeof head, head.buflen);
  for (std::size_t i = 0; i < head.field_count; ++i) {
    AUDITSHIFT_TRY(field, read_field(head, i, texts));
    rule.fields.push_back(std::move(field));
  }
  return rule;
}

std::vector<unsigned char> to_kernel(const Rule& rule) {
  audit_rule_data head{};
  head.flags = static_cast<std::uint32_t>(rule.filter);
  if (rule.verb == RuleVerb::prepend) head.flags |= AUDIT_FILTER_PREPEND;
  head.action = static_cast<std::uint32_t>(rule.action);
  head.field_count = static_cast<std::uint32_t>(std::min<std::size_t>(rule.fields.size(), AUDIT_MAX_FIELDS));
  std::copy(rule.syscalls.begin(), rule.syscalls.end(), std::begin(head.mask));
  std::string texts;
  for (std::size_t i = 0; i < head.field_count; ++i) {
    const Field& field = rule.fields[i];
    head.fields[i] = field.id;
    head.fieldflags[i] = static_cast<std::uint32_t>(field.op);
    head.values[i] = is_text_field(field.id) ? static_cast<std::uint32_t>(field.text.size()) : field.value;
    if (is_text_field(field.id)) texts += field.text;
  }
  head.buflen = static_cast<std::uint32_t>(texts.size());
  std::vector<unsigned char> bytes(sizeof head + texts.size());
  std::memcpy(bytes.data(), &head, sizeof head);
  std::copy(texts.begin(), texts.end(), bytes.begin() + sizeof head);
  return bytes;
}

}  // namespace auditshift::auditd
