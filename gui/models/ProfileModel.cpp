#include "gui/models/ProfileModel.h"

#include "core/curve/CurveSummary.h"
#include "core/curve/Decimate.h"
#include "gui/models/TableHeader.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/StateLook.h"

#include <QGuiApplication>
#include <QLocale>
#include <QPalette>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace loadlab {
namespace {

constexpr std::array kHeaders{"Time s", "Used GiB", "Swap", "Δ", "GiB/s", "Free", "Phase"};
constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

double secondsOf(const Curve& curve, const Sample& sample)
{
    return static_cast<double>(sample.monotonicNs - curve.originNs) / 1e9;
}

QString phaseAt(const std::vector<Phase>& phases, double tS)
{
    for (auto phase = phases.rbegin(); phase != phases.rend(); ++phase)
        if (phase->fromS <= tS)
            return phaseWords(phase->name);
    // The first sample is taken just before the first phase is noted.
    return phases.empty() ? QString() : phaseWords(phases.front().name);
}

ProfileRow rowOf(
    const Curve& curve, const Sample& sample, const std::vector<Phase>& phases, const std::vector<ProfileRow>& before)
{
    ProfileRow row;
    row.tS = secondsOf(curve, sample);
    row.usedBytes = static_cast<std::uint64_t>(sample.has(Column::TreeBytes) ? sample[Column::TreeBytes] : 0);
    if (sample.has(Column::SwapBytes))
        row.swapBytes = static_cast<std::uint64_t>(sample[Column::SwapBytes]);
    if (sample.has(Column::SystemAvailableBytes))
        row.availableBytes = static_cast<std::uint64_t>(sample[Column::SystemAvailableBytes]);
    row.phase = phaseAt(phases, row.tS);
    if (!before.empty()) {
        row.deltaBytes = static_cast<std::int64_t>(row.usedBytes) - static_cast<std::int64_t>(before.back().usedBytes);
        if (const double seconds = row.tS - before.back().tS; seconds > 0)
            row.rateBytesPerS = static_cast<double>(*row.deltaBytes) / seconds;
    }
    return row;
}

} // namespace

std::vector<ProfileRow> profileOf(const Curve& curve, const std::vector<Phase>& phases, double stepS, bool ended)
{
    std::vector<ProfileRow> rows;
    // After it the process was being taken down; a run that goes on has none.
    const double endS = ended ? endOfLoadS(curve) : std::numeric_limits<double>::infinity();
    double next = 0;
    for (const Sample& sample : curve.samples) {
        const double tS = secondsOf(curve, sample);
        const bool last = &sample == &curve.samples.back();
        if (tS + 1e-9 < next && !last && tS != endS)
            continue;
        rows.push_back(rowOf(curve, sample, phases, rows));
        if (tS > endS) {
            rows.back().phase = QStringLiteral("Ending");
            rows.back().deltaBytes.reset();
            rows.back().rateBytesPerS.reset();
        }
        next = (std::floor(tS / stepS + 1e-6) + 1) * stepS;
    }
    return rows;
}

double profileStep(double durationS)
{
    for (const double step : {0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0})
        if (durationS <= step * (step < 5 ? 12 : 400))
            return step;
    return 3600.0;
}

ProfileModel::ProfileModel(QObject* parent)
    : QAbstractTableModel(parent)
{
}

void ProfileModel::setRows(std::vector<ProfileRow> rows)
{
    m_hasSwap = std::ranges::any_of(rows, [](const ProfileRow& row) { return row.swapBytes > 0; });
    const bool sameRun = !rows.empty() && !m_rows.empty() && rows.front().tS == m_rows.front().tS;
    if (!sameRun) {
        beginResetModel();
        m_rows = std::move(rows);
        endResetModel();
        return;
    }
    const auto before = static_cast<int>(m_rows.size());
    const auto after = static_cast<int>(rows.size());
    if (after < before) {
        beginRemoveRows({}, after, before - 1);
        m_rows.resize(rows.size());
        endRemoveRows();
    } else if (after > before) {
        beginInsertRows({}, before, after - 1);
        m_rows.resize(rows.size());
        endInsertRows();
    }
    m_rows = std::move(rows);
    Q_EMIT dataChanged(index(0, 0), index(after - 1, ColumnCount - 1));
}

int ProfileModel::measuredRows() const
{
    return static_cast<int>(std::ranges::count(m_rows, ProfileRow::Kind::Measured, &ProfileRow::kind));
}

int ProfileModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int ProfileModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant ProfileModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    return headerOf(kHeaders, section, orientation, role, section != PhaseColumn);
}

QVariant ProfileModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid())
        return {};
    if (role == Qt::DisplayRole || role == Qt::AccessibleTextRole)
        return display(m_rows[static_cast<std::size_t>(index.row())], index.column());
    if (role == Qt::ForegroundRole && m_rows[static_cast<std::size_t>(index.row())].kind != ProfileRow::Kind::Measured)
        return QGuiApplication::palette().color(QPalette::PlaceholderText);
    if (role == Qt::ToolTipRole && index.column() == PhaseColumn)
        return m_rows[static_cast<std::size_t>(index.row())].phase;
    if (role == Qt::TextAlignmentRole)
        return headerData(index.column(), Qt::Horizontal, role);
    return {};
}

QString ProfileModel::display(const ProfileRow& row, int column) const
{
    switch (column) {
    case Time:
        return figures::threeDigits(std::round(row.tS * 100) / 100);
    case Used:
        return row.kind == ProfileRow::Kind::Limit ? QStringLiteral("(%1)").arg(figures::gib(row.usedBytes))
                                                   : figures::gib(row.usedBytes);
    case Swap:
        return row.swapBytes > 0 ? figures::gib(row.swapBytes) : figures::kNone;
    case Delta:
        return row.deltaBytes ? figures::threeDigits(static_cast<double>(*row.deltaBytes) / kGiB) : QString();
    case Rate:
        return row.rateBytesPerS
            ? QLocale().toString(*row.rateBytesPerS / kGiB, 'f', 2).replace(QLatin1Char('-'), QChar(0x2212))
            : QString();
    case Available:
        return figures::gib(row.availableBytes);
    case PhaseColumn:
        return row.phase;
    default:
        return {};
    }
}

} // namespace loadlab
