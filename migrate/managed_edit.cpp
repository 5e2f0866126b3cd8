// SPDX-License-Identifier: Apache-2.0
#include "migrate/managed_edit.h"

#include <algorithm>
#include <optional>

#include "base/json.h"
#include "base/json_scan.h"
#include "base/text.h"

namespace auditshift::migrate {
namespace {

using base::JsonSpan;
using Kind = ManagedExclusion::Kind;

constexpr std::string_view kSection = "exclusionSettings";
constexpr std::string_view kList = "exclusions";
constexpr std::string_view kFeatures = "features";
constexpr std::string_view kProvider = "ebpfSupplementaryEventProvider";
constexpr std::string_view kBlanks = " \t\r\n";

std::string described(const ManagedExclusion& exclusion, const std::vector<std::string>& scopes) {
  return std::string(to_string(exclusion.kind)) + " " + exclusion.value + ", scope " +
         base::join(scopes, " and ");
}

/// Members of the entry, each as text.
std::vector<std::string> members_of(const ManagedExclusion& exclusion,
                                    const std::vector<std::string>& scopes) {
  std::vector<std::string> quoted;
  quoted.reserve(scopes.size());
  for (const std::string& scope : scopes) quoted.push_back(base::json_quoted(scope));
  const std::string scopes_text = "\"scopes\": [" + base::join(quoted, ", ") + "]";
  const std::string value = base::json_quoted(exclusion.value);
  switch (exclusion.kind) {
    case Kind::folder:
    case Kind::file:
      return {R"("$type": "excludedPath")",
              std::string("\"isDirectory\": ") + (exclusion.kind == Kind::folder ? "true" : "false"),
              "\"path\": " + value, scopes_text};
    case Kind::process_path:
    case Kind::process_name:
      return {R"("$type": "excludedFileName")", "\"name\": " + value, scopes_text};
    case Kind::extension:
      return {R"("$type": "excludedFileExtension")", "\"extension\": " + value, scopes_text};
  }
  return {};
}

/// The blanks right in front of a position.
std::string blanks_before(std::string_view text, std::size_t at) {
  const std::size_t last = text.substr(0, at).find_last_not_of(kBlanks);
  const std::size_t begin = last == std::string_view::npos ? 0 : last + 1;
  return std::string(text.substr(begin, at - begin));
}

std::size_t start_of(const JsonSpan& child, const JsonSpan& parent) {
  return parent.type == JsonSpan::Type::object ? child.key_begin : child.begin;
}

bool contains(const std::vector<std::string>& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

bool same(const ManagedExclusion& a, const ManagedExclusion& b) {
  return a.kind == b.kind && a.value == b.value;
}

/// One edit session: the text, its structure, and how it is laid out.
class Editor {
 public:
  static base::Result<Editor> open(std::string_view text, std::string_view path) {
    Editor editor;
    editor.text_ = text.find_first_not_of(kBlanks) == std::string_view::npos ? "{\n}\n" : std::string(text);
    editor.path_ = path;
    AUDITSHIFT_TRY_VOID(editor.scan_document());
    return editor;
  }

  /// `features.ebpfSupplementaryEventProvider`. Nothing else is looked at.
  base::Result<void> set_provider(const std::string& value, std::vector<std::string>& changes) {
    AUDITSHIFT_TRY(features, only_member(root_, kFeatures, JsonSpan::Type::object));
    if (features == nullptr) {
      insert_child(root_, base::json_quoted(kFeatures) + ": {}");
      AUDITSHIFT_TRY_VOID(scan_document());
      features = root_.members(kFeatures).front();
    }
    AUDITSHIFT_TRY(provider, only_member(*features, kProvider, JsonSpan::Type::string));
    if (provider != nullptr && provider->text == value) return {};
    changes.push_back("set " + std::string(kFeatures) + "." + std::string(kProvider) + " to " + value +
                      (provider == nullptr ? "" : ", it was " + provider->text));
    if (provider == nullptr)
      insert_child(*features, base::json_quoted(kProvider) + ": " + base::json_quoted(value));
    else
      text_.replace(provider->begin, provider->end - provider->begin, base::json_quoted(value));
    return scan_document();
  }

  base::Result<void> add(const ManagedExclusion& exclusion, std::vector<std::string>& changes) {
    AUDITSHIFT_TRY_VOID(scan());
    std::vector<std::string> missing;
    for (const std::string& scope : exclusion.scopes)
      if (!has(exclusion, scope)) missing.push_back(scope);
    if (missing.empty()) return {};
    AUDITSHIFT_TRY_VOID(make_list());
    insert_entry(exclusion, missing);
    changes.push_back("add " + described(exclusion, missing));
    return scan();
  }

  base::Result<void> remove(const ManagedExclusion& exclusion, std::vector<std::string>& changes) {
    AUDITSHIFT_TRY_VOID(scan());
    for (std::size_t i = 0; list_ != nullptr && i < list_->children.size();) {
      const auto entry = entry_at(i);
      const auto unwanted = [&](const std::string& scope) { return contains(exclusion.scopes, scope); };
      if (!entry || !same(*entry, exclusion) ||
          std::none_of(entry->scopes.begin(), entry->scopes.end(), unwanted)) {
        ++i;
        continue;
      }
      if (std::all_of(entry->scopes.begin(), entry->scopes.end(), unwanted)) {
        changes.push_back("remove " + described(exclusion, entry->scopes));
        remove_child(*list_, i);
      } else {
        // What stays stands in a list of scopes; one name at a time goes out of it.
        const JsonSpan& scopes = *list_->children[i].members("scopes").back();
        std::size_t at = 0;
        while (!unwanted(scopes.children[at].text)) ++at;
        changes.push_back("remove " + described(exclusion, {scopes.children[at].text}));
        remove_child(scopes, at);
      }
      AUDITSHIFT_TRY_VOID(scan());
    }
    return {};
  }

  const std::string& text() const { return text_; }

 private:
  base::Result<void> scan_document() {
    auto root = base::scan_json(text_, path_);
    if (!root)
      return std::move(root).error().with_hint(
          "only strict JSON can be edited without losing something; comments and trailing commas are not "
          "part "
          "of it");
    root_ = *std::move(root);
    if (root_.type != JsonSpan::Type::object) return refuse("the outermost value is not an object");
    return {};
  }

  /// And finds the list of exclusions.
  base::Result<void> scan() {
    AUDITSHIFT_TRY_VOID(scan_document());
    section_ = list_ = nullptr;
    AUDITSHIFT_TRY(section, only_member(root_, kSection, JsonSpan::Type::object));
    section_ = section;
    if (section_ == nullptr) return {};
    AUDITSHIFT_TRY(list, only_member(*section_, kList, JsonSpan::Type::array));
    list_ = list;
    return {};
  }

  base::Result<const JsonSpan*> only_member(const JsonSpan& parent, std::string_view name,
                                            JsonSpan::Type type) {
    const auto found = parent.members(name);
    if (found.empty()) return static_cast<const JsonSpan*>(nullptr);
    if (found.size() > 1)
      return refuse("the key \"" + std::string(name) +
                    "\" stands twice in one object; it cannot be told which one the agent reads");
    if (found.front()->type != type)
      return refuse("\"" + std::string(name) + "\" is not " +
                    (type == JsonSpan::Type::array    ? "a list"
                     : type == JsonSpan::Type::string ? "a string"
                                                      : "an object"));
    return found.front();
  }

  base::Error refuse(const std::string& why) const {
    return base::Error(base::Errc::invalid, path_ + ": " + why)
        .with_hint("mend the file by hand first; nothing was changed");
  }

  std::optional<ManagedExclusion> entry_at(std::size_t index) const {
    const JsonSpan& span = list_->children[index];
    const ManagedConfig one = parse_managed_config(
        R"({"exclusionSettings": {"exclusions": [)" + text_.substr(span.begin, span.end - span.begin) + "]}}",
        path_);
    if (one.exclusions.size() != 1) return std::nullopt;
    return one.exclusions.front();
  }

  bool has(const ManagedExclusion& exclusion, const std::string& scope) const {
    for (std::size_t i = 0; list_ != nullptr && i < list_->children.size(); ++i) {
      const auto entry = entry_at(i);
      if (entry && same(*entry, exclusion) && contains(entry->scopes, scope)) return true;
    }
    return false;
  }

  /// Puts the missing object and list there.
  base::Result<void> make_list() {
    if (section_ == nullptr) {
      insert_child(root_, base::json_quoted(kSection) + ": {}");
      AUDITSHIFT_TRY_VOID(scan());
    }
    if (list_ == nullptr) {
      insert_child(*section_, base::json_quoted(kList) + ": []");
      AUDITSHIFT_TRY_VOID(scan());
    }
    return {};
  }

  /// How deep one level is indented: what stands in front of the document's first member.
  std::string unit() const {
    if (root_.children.empty()) return "  ";
    const std::string before = blanks_before(text_, root_.children.front().key_begin);
    const std::size_t line = before.rfind('\n');
    if (line == std::string::npos) return {};
    return before.substr(line + 1);
  }

  std::string newline() const { return text_.find("\r\n") == std::string::npos ? "\n" : "\r\n"; }

  /// The blanks that start the line on which a position stands, with its line end; a document on one line
  /// has none.
  std::string line_start(std::size_t at) const {
    const std::size_t line = text_.rfind('\n', at == 0 ? 0 : at - 1);
    if (line == std::string::npos) return {};
    const std::size_t word = std::min(text_.find_first_not_of(" \t", line + 1), text_.size());
    return newline() + text_.substr(line + 1, word - line - 1);
  }

  /// What stands in front of a further child: as in front of those that are there, else one level deeper than
  /// the parent's line.
  std::string child_blanks(const JsonSpan& parent) const {
    if (!parent.children.empty()) {
      // The last one's blanks; of two on one line, those between them.
      return blanks_before(text_, start_of(parent.children.back(), parent));
    }
    if (text_.find('\n') == std::string::npos) return {};
    const std::string start = line_start(parent.begin);
    return (start.empty() ? newline() : start) + (unit().empty() ? "  " : unit());
  }

  void insert_child(const JsonSpan& parent, const std::string& child) {
    const std::string blanks = child_blanks(parent);
    if (!parent.children.empty()) {
      const bool joined = blanks.empty() && parent.children.size() == 1;
      text_.insert(parent.children.back().end, "," + (joined ? " " : blanks) + child);
      return;
    }
    // Blanks between the brackets of an empty list give way to the ones of the new layout.
    std::string closing;
    if (!blanks.empty()) {
      closing = line_start(parent.begin);
      if (closing.empty()) closing = newline();
    }
    text_.replace(parent.begin + 1, parent.end - parent.begin - 2, blanks + child + closing);
  }

  void insert_entry(const ManagedExclusion& exclusion, const std::vector<std::string>& scopes) {
    const std::vector<std::string> members = members_of(exclusion, scopes);
    const JsonSpan* model = list_->children.empty() ? nullptr : &list_->children.back();
    std::string between = " ";
    std::string first;
    std::string last;
    if (model != nullptr && model->type == JsonSpan::Type::object && !model->children.empty()) {
      first = blanks_before(text_, model->children.front().key_begin);
      if (first.find('\n') == std::string::npos) {
        first.clear();
      } else {
        between = first;
        last = blanks_before(text_, model->end - 1);
      }
    }
    insert_child(*list_, "{" + first + base::join(members, "," + between) + last + "}");
  }

  /// With the comma and the blanks that belong to it.
  void remove_child(const JsonSpan& parent, std::size_t index) {
    const auto& children = parent.children;
    if (children.size() == 1) {
      text_.erase(parent.begin + 1, parent.end - parent.begin - 2);
    } else if (index + 1 == children.size()) {
      const std::size_t from = children[index - 1].end;
      text_.erase(from, children[index].end - from);
    } else {
      const std::size_t from = start_of(children[index], parent);
      text_.erase(from, start_of(children[index + 1], parent) - from);
    }
  }

  std::string text_;
  std::string path_;
  JsonSpan root_;
  const JsonSpan* section_ = nullptr;
  const JsonSpan* list_ = nullptr;
};

enum class Direction { add, remove };

/// What an edit must have done, judged from the outside. An error here is a fault of this program.
base::Result<void> check(std::string_view before, std::string_view after, std::string_view path,
                         const std::vector<ManagedExclusion>& exclusions, Direction direction) {
  const ManagedConfig now = parse_managed_config(after, path);
  bool done = now.error.empty() && same_elsewhere(before, after);
  for (const ManagedExclusion& exclusion : exclusions)
    for (const std::string& scope : exclusion.scopes) {
      const bool there =
          std::any_of(now.exclusions.begin(), now.exclusions.end(), [&](const ManagedExclusion& known) {
            return known.section == kSection && same(known, exclusion) && contains(known.scopes, scope);
          });
      done = done && there == (direction == Direction::add);
    }
  if (done) return {};
  return base::Error(base::Errc::invalid,
                     std::string(path) + ": the edit would have changed something else; nothing was changed");
}

base::Result<ManagedEdit> edit(std::string_view text, std::string_view path,
                               const std::vector<ManagedExclusion>& exclusions, Direction direction) {
  AUDITSHIFT_TRY(editor, Editor::open(text, path));
  ManagedEdit result;
  if (!text.empty()) result.notes = parse_managed_config(text, path).problems;
  for (const ManagedExclusion& exclusion : exclusions)
    AUDITSHIFT_TRY_VOID(direction == Direction::add ? editor.add(exclusion, result.changes)
                                                    : editor.remove(exclusion, result.changes));
  result.text = result.changes.empty() ? std::string(text) : editor.text();
  if (!result.changes.empty()) AUDITSHIFT_TRY_VOID(check(text, result.text, path, exclusions, direction));
  return result;
}

/// The document without `section`.`key`, which edits may change.
std::optional<base::Json> elsewhere(std::string_view text, std::string_view section_name,
                                    std::string_view key) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (text.find_first_not_of(kBlanks) == std::string_view::npos) return base::Json::object();
  auto document = base::parse_json(text, "");
  if (!document || !document->is_object()) return std::nullopt;
  const auto section = document->find(std::string(section_name));
  if (section == document->end() || !section->is_object()) return *std::move(document);
  section->erase(std::string(key));
  if (section->empty()) document->erase(std::string(section_name));
  return *std::move(document);
}

}  // namespace

bool same_elsewhere(std::string_view before, std::string_view after) {
  const auto a = elsewhere(before, kSection, kList);
  const auto b = elsewhere(after, kSection, kList);
  return a && b && *a == *b;
}

base::Result<ManagedEdit> set_ebpf_provider(std::string_view text, std::string_view path, bool enabled) {
  AUDITSHIFT_TRY(editor, Editor::open(text, path));
  const std::string value = enabled ? "enabled" : "disabled";
  ManagedEdit result;
  if (!text.empty()) result.notes = parse_managed_config(text, path).problems;
  AUDITSHIFT_TRY_VOID(editor.set_provider(value, result.changes));
  result.text = result.changes.empty() ? std::string(text) : editor.text();
  if (result.changes.empty()) return result;
  const auto before = elsewhere(text, kFeatures, kProvider);
  const auto after = elsewhere(result.text, kFeatures, kProvider);
  if (!before || !after || *before != *after ||
      parse_managed_config(result.text, path).ebpf_provider != value)
    return base::Error(base::Errc::invalid, std::string(path) +
                                                ": the edit would have changed something else; nothing was "
                                                "changed");
  return result;
}

base::Result<ManagedEdit> add_exclusions(std::string_view text, std::string_view path,
                                         const std::vector<ManagedExclusion>& wanted) {
  return edit(text, path, wanted, Direction::add);
}

base::Result<ManagedEdit> remove_exclusions(std::string_view text, std::string_view path,
                                            const std::vector<ManagedExclusion>& unwanted) {
  return edit(text, path, unwanted, Direction::remove);
}

base::Result<void> write_managed(const base::Sysroot& host, const std::string& path, std::string_view before,
                                 std::string_view after) {
  const auto now = host.read_file(path);
  if (!now && now.error().code() != base::Errc::not_found) return now.error();
  if ((now ? std::string_view(*now) : std::string_view()) != before)
    return base::Error(base::Errc::busy, path + ": somebody else changed it meanwhile; nothing was written")
        .with_hint("run the command again");
  if (!now) AUDITSHIFT_TRY_VOID(host.make_directories(path.substr(0, path.rfind('/'))));
  AUDITSHIFT_TRY_VOID(host.write_atomic(path, after));
  AUDITSHIFT_TRY(written, host.read_file(path));
  if (written != after) return base::Error(base::Errc::io, path + ": holds something else than was written");
  return {};
}

}  // namespace auditshift::migrate
