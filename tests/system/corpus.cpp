// SPDX-License-Identifier: Apache-2.0
#include "tests/system/corpus.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace auditshift::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path folder() {
  const char* named = std::getenv("AUDITSHIFT_CORPUS_DIR");
  return named != nullptr ? fs::path(named) : fs::path(AUDITSHIFT_SOURCE_DIR) / "../shared/corpus";
}

/// The corpus maps bytes to the code points of the same number.
std::string bytes_of(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80 || i + 1 == text.size()) {
      bytes.push_back(text[i]);
    } else {
      const auto next = static_cast<unsigned char>(text[++i]);
      bytes.push_back(static_cast<char>((lead & 0x1f) << 6 | (next & 0x3f)));
    }
  }
  return bytes;
}

RecordedAnswer answer_of(const json& value) {
  RecordedAnswer answer;
  answer.accepted = value.at("accepted").get<bool>();
  if (value.at("normal").is_string()) answer.normal = bytes_of(value.at("normal").get<std::string>());
  for (const json& message : value.value("messages", json::array())) {
    const bool missing = message.get<std::string>().find("No such file or directory") != std::string::npos;
    answer.depends_on_host = answer.depends_on_host || (missing && !answer.accepted);
  }
  return answer;
}

void read_versions(const json& value, RecordedRule& rule) {
  if (!value.is_object()) return;
  for (const auto& [name, answer] : value.items()) {
    const auto version = auditd::AuditVersion::parse(name);
    if (!version) continue;
    rule.versions.emplace_back(*version, answer.is_string() ? *rule.answer : answer_of(answer));
  }
}

void read_environment(const json& value, std::vector<std::pair<std::string, std::uint32_t>>& users) {
  if (!value.is_array()) return;
  for (const json& note : value) {
    std::istringstream words(note.get<std::string>());
    std::string user;
    std::string name;
    std::string was;
    std::string given;
    std::string id;
    std::uint32_t number = 0;
    if (words >> user >> name >> was >> given >> id >> number && user == "user" && id == "id") {
      users.emplace_back(name, number);
    }
  }
}

}  // namespace

std::string Corpus::hint() {
  return "no corpus of recorded rules; set AUDITSHIFT_CORPUS_DIR to a folder with rule-lines.jsonl";
}

std::optional<Corpus> Corpus::find() {
  Corpus corpus;
  std::ifstream lines(folder() / "rule-lines.jsonl");
  if (!lines) return std::nullopt;
  for (std::string line; std::getline(lines, line);) {
    const json value = json::parse(line);
    RecordedRule rule{bytes_of(value.at("rule").get<std::string>()), answer_of(value), {}};
    read_versions(value.at("versions"), rule);
    read_environment(value.at("env"), corpus.users_);
    corpus.rules_.push_back(std::move(rule));
  }
  std::ifstream cases(folder() / "rule-cases.jsonl");
  for (std::string line; std::getline(cases, line);) {
    const json value = json::parse(line);
    RecordedRule rule{bytes_of(value.at("rule").get<std::string>()), std::nullopt, {}};
    const auto answer = value.find("auditctl_3.0.9");
    if (answer != value.end() && answer->is_object()) rule.answer = answer_of(*answer);
    corpus.rules_.push_back(std::move(rule));
  }
  return corpus;
}

}  // namespace auditshift::testing
