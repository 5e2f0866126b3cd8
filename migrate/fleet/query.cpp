// SPDX-License-Identifier: Apache-2.0
#include "migrate/fleet/query.h"

#include <algorithm>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "migrate/fleet/csv.h"

namespace auditshift::migrate::fleet {
namespace {

using base::Json;
using base::Result;

constexpr std::size_t kWidest = 60;  // characters of a column of the table

bool is_number(const SqlValue& value) {
  return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
}

Json json_of(const SqlValue& value) {
  struct ToJson {
    Json operator()(std::nullptr_t) const { return {}; }
    Json operator()(std::int64_t number) const { return number; }
    Json operator()(double number) const { return number; }
    Json operator()(const std::string& text) const { return base::to_utf8(text); }
    Json operator()(const Blob& blob) const { return base::base64(blob.bytes); }
  };
  return std::visit(ToJson{}, value);
}

std::string text_of(const SqlValue& value) {
  if (std::holds_alternative<std::nullptr_t>(value)) return {};
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const Json json = json_of(value);
  return json.is_string() ? json.get<std::string>() : json.dump();
}

/// Characters as far as a column is concerned: bytes that begin one.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string shortened(std::string text) {
  if (width_of(text) <= kWidest) return text;
  std::size_t end = 0;
  for (std::size_t characters = 0; characters < kWidest; ++end)
    if ((static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U) ++characters;
  --end;
  return text.substr(0, end) + "…";
}

std::vector<std::string> column_names(const Statement& statement) {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(statement.columns()));
  for (int i = 0; i < statement.columns(); ++i) names.push_back(statement.column_name(i));
  return names;
}

class Table {
 public:
  explicit Table(std::vector<std::string> names) { add_texts(std::move(names), {}); }
  void add(const std::vector<SqlValue>& row) {
    std::vector<std::string> texts;
    std::vector<bool> numbers;
    for (const SqlValue& value : row) {
      texts.push_back(shortened(base::printable(text_of(value))));
      numbers.push_back(is_number(value));
    }
    add_texts(std::move(texts), std::move(numbers));
  }
  std::string render() const {
    std::string out;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      out += render_line(lines_[i]);
      if (i == 0) out += rule();
    }
    return out;
  }

 private:
  struct Line {
    std::vector<std::string> texts;
    std::vector<bool> numbers;
  };
  void add_texts(std::vector<std::string> texts, std::vector<bool> numbers) {
    widths_.resize(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) widths_[i] = std::max(widths_[i], width_of(texts[i]));
    numbers.resize(texts.size());
    lines_.push_back({std::move(texts), std::move(numbers)});
  }
  std::string render_line(const Line& line) const {
    std::string out;
    for (std::size_t i = 0; i < line.texts.size(); ++i) {
      const std::string space(widths_[i] - width_of(line.texts[i]), ' ');
      if (i != 0) out += "  ";
      out += line.numbers[i] ? space + line.texts[i] : line.texts[i] + space;
    }
    out.resize(out.find_last_not_of(' ') + 1);
    return out + "\n";
  }
  std::string rule() const {
    std::string out;
    for (std::size_t i = 0; i < widths_.size(); ++i)
      out += (i == 0 ? "" : "  ") + std::string(widths_[i], '-');
    return out + "\n";
  }

  std::vector<Line> lines_;
  std::vector<std::size_t> widths_;
};

template <class Add>
Result<void> each_row(Statement& statement, const Add& add) {
  std::vector<SqlValue> row(static_cast<std::size_t>(statement.columns()));
  while (true) {
    AUDITSHIFT_TRY(more, statement.next());
    if (!more) return {};
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = statement.value(static_cast<int>(i));
    add(row);
  }
}

Result<std::string> as_table(Statement& statement) {
  Table table(column_names(statement));
  AUDITSHIFT_TRY_VOID(each_row(statement, [&](const std::vector<SqlValue>& row) { table.add(row); }));
  return table.render();
}

Result<std::string> as_csv(Statement& statement) {
  std::string out;
  add_csv_line(out, column_names(statement));
  AUDITSHIFT_TRY_VOID(each_row(statement, [&](const std::vector<SqlValue>& row) {
    std::vector<std::string> texts;
    texts.reserve(row.size());
    for (const SqlValue& value : row) texts.push_back(text_of(value));
    add_csv_line(out, texts);
  }));
  return out;
}

Result<std::string> as_json(Statement& statement) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (std::string& name : column_names(statement)) {
    name = base::to_utf8(name);
    std::string unique = name;
    for (int n = 2; !taken.insert(unique).second; ++n) unique = name + ":" + std::to_string(n);
    names.push_back(std::move(unique));
  }
  std::string out = "[";
  AUDITSHIFT_TRY_VOID(each_row(statement, [&](const std::vector<SqlValue>& row) {
    Json object = Json::object();
    for (std::size_t i = 0; i < row.size(); ++i) object[names[i]] = json_of(row[i]);
    out += out.size() == 1 ? "\n  " : ",\n  ";
    out += object.dump(-1, ' ', false, Json::error_handler_t::replace);
  }));
  return out + (out.size() == 1 ? "]\n" : "\n]\n");
}

}  // namespace

Result<std::string> run_query(Database& database, std::string_view sql, QueryFormat format) {
  AUDITSHIFT_TRY(statement, database.prepare(sql));
  switch (format) {
    case QueryFormat::table:
      return as_table(statement);
    case QueryFormat::csv:
      return as_csv(statement);
    case QueryFormat::json:
      return as_json(statement);
  }
  return std::string();
}

}  // namespace auditshift::migrate::fleet
