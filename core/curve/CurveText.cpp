#include "core/curve/CurveText.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

namespace loadlab {
namespace {

constexpr std::array kFirstColumns{Column::AnonBytes, Column::FileBytes, Column::ShmemBytes, Column::SwapBytes,
    Column::TreeBytes, Column::GpuBytes, Column::SystemAvailableBytes};

std::vector<Column> orderedColumns()
{
    std::vector<Column> all(kFirstColumns.begin(), kFirstColumns.end());
    for (std::size_t i = 0; i < kColumnCount; ++i)
        if (const auto column = static_cast<Column>(i); std::find(all.begin(), all.end(), column) == all.end())
            all.push_back(column);
    return all;
}

/// Integers only, so that neither locale nor binary fractions touch the figure.
void writeSeconds(std::ostream& out, std::int64_t ns)
{
    const std::int64_t us = (ns >= 0 ? ns + 500 : ns - 500) / 1000;
    const std::int64_t magnitude = us < 0 ? -us : us;
    std::array<char, 48> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%s%lld.%06lld", us < 0 ? "-" : "",
        static_cast<long long>(magnitude / 1'000'000), static_cast<long long>(magnitude % 1'000'000));
    out << buffer.data();
}

void writeRow(std::ostream& out, const Curve& curve, const Sample& sample, const char* absent)
{
    writeSeconds(out, sample.monotonicNs - curve.originNs);
    for (const Column column : textColumns()) {
        out << ',';
        if (sample.has(column))
            out << std::to_string(sample[column]);
        else
            out << absent;
    }
}

Error invalid(const std::string& why)
{
    return {ErrorKind::Invalid, "no table of samples: " + why};
}

struct TableHead {
    std::size_t time = 0;
    std::vector<std::optional<Column>> columns; ///< Nothing: t_s or an unknown name.
};

Result<TableHead> readHead(const nlohmann::json& json)
{
    if (!json.is_object() || !json.contains("columns") || !json["columns"].is_array())
        return invalid("\"columns\" is missing");
    if (!json.contains("rows") || !json["rows"].is_array())
        return invalid("\"rows\" is missing");
    TableHead head;
    bool hasTime = false;
    for (const nlohmann::json& name : json["columns"]) {
        if (!name.is_string())
            return invalid("a column's name is no text");
        const auto& word = name.get_ref<const std::string&>();
        if (word == "t_s") {
            head.time = head.columns.size();
            hasTime = true;
        }
        head.columns.push_back(findColumn(word));
    }
    if (!hasTime)
        return invalid("there is no column t_s");
    return head;
}

std::int64_t toInteger(const nlohmann::json& cell)
{
    if (cell.is_number_float()) {
        const double value = cell.get<double>();
        return std::fabs(value) < 9.2e18 ? std::llround(value) : kAbsent;
    }
    if (cell.is_number_unsigned()) {
        const auto value = cell.get<std::uint64_t>();
        return value <= std::uint64_t{std::numeric_limits<std::int64_t>::max()} ? static_cast<std::int64_t>(value)
                                                                                : kAbsent;
    }
    return cell.get<std::int64_t>();
}

Result<Sample> readRow(const nlohmann::json& row, const TableHead& head, std::size_t index)
{
    const std::string where = "row " + std::to_string(index + 1);
    if (!row.is_array() || row.size() != head.columns.size())
        return invalid(where + " has not " + std::to_string(head.columns.size()) + " cells");
    if (!row[head.time].is_number() || std::fabs(row[head.time].get<double>()) > 9e9)
        return invalid(where + " has no time");
    Sample sample;
    sample.monotonicNs = std::llround(row[head.time].get<double>() * 1e9);
    for (std::size_t i = 0; i < head.columns.size(); ++i) {
        if (row[i].is_null() || !head.columns[i])
            continue;
        if (!row[i].is_number())
            return invalid(where + " holds something that is neither number nor null");
        sample[*head.columns[i]] = toInteger(row[i]);
    }
    return sample;
}

} // namespace

const std::vector<Column>& textColumns()
{
    static const std::vector<Column> columns = orderedColumns();
    return columns;
}

void writeCsv(std::ostream& out, const Curve& curve)
{
    out << "t_s";
    for (const Column column : textColumns())
        out << ',' << toWireName(column);
    out << '\n';
    for (const Sample& sample : curve.samples) {
        writeRow(out, curve, sample, "");
        out << '\n';
    }
}

void writeJson(std::ostream& out, const Curve& curve)
{
    out << "{\"columns\":[\"t_s\"";
    for (const Column column : textColumns())
        out << ",\"" << toWireName(column) << '"';
    out << "],\"rows\":[";
    const char* separator = "\n";
    for (const Sample& sample : curve.samples) {
        out << separator << '[';
        writeRow(out, curve, sample, "null");
        out << ']';
        separator = ",\n";
    }
    out << "\n]}\n";
}

std::string toCsv(const Curve& curve)
{
    std::ostringstream out;
    out.imbue(std::locale::classic());
    writeCsv(out, curve);
    return std::move(out).str();
}

void writeJsonWithCurve(std::ostream& out, std::string_view object, const Curve& curve)
{
    object.remove_suffix(1);
    out << object << (object.size() > 1 ? "," : "") << "\"curve\":";
    writeJson(out, curve);
    out << '}';
}

std::string toJsonText(const Curve& curve)
{
    std::ostringstream out;
    out.imbue(std::locale::classic());
    writeJson(out, curve);
    return std::move(out).str();
}

Result<Curve> curveFromJson(const nlohmann::json& json)
{
    const Result<TableHead> head = readHead(json);
    if (!head)
        return head.error();
    Curve curve;
    const nlohmann::json& rows = json["rows"];
    curve.samples.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        Result<Sample> sample = readRow(rows[i], *head, i);
        if (!sample)
            return sample.error();
        curve.samples.push_back(*sample);
    }
    std::stable_sort(curve.samples.begin(), curve.samples.end(),
        [](const Sample& a, const Sample& b) { return a.monotonicNs < b.monotonicNs; });
    return curve;
}

} // namespace loadlab
