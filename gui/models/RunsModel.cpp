#include "gui/models/RunsModel.h"

#include "core/Units.h"
#include "gui/Words.h"
#include "gui/models/TableHeader.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/SparklineDelegate.h"
#include "gui/widgets/StateLook.h"

#include <QTimer>

#include <algorithm>
#include <array>
#include <limits>

namespace loadlab {
namespace {

constexpr std::array kHeaders{
    "Run", "Started", "Checkpoint", "Backend", "Dtype", "Map", "Curve", "Peak GiB", "Duration", "Outcome"};
constexpr std::size_t kKeptPages = 64;

bool isNumber(int column)
{
    return column == RunsModel::Run || column == RunsModel::Peak || column == RunsModel::Duration;
}

QString modeOf(const RunRow& row)
{
    return row.mode ? toQString(toWireName(*row.mode)) : QString();
}

/// Of the checkpoint, or the program.
QString nameOf(const RunRow& row)
{
    return toQString(row.checkpointName.empty() ? row.program : row.checkpointName);
}

double secondsOf(const RunRow& row)
{
    return std::chrono::duration<double>(row.duration).count();
}

/// A JSON map takes more room than a column has.
QString mapWords(const Variant& variant)
{
    return variant.deviceMap.starts_with('{') ? QStringLiteral("custom") : toQString(variant.deviceMap);
}

bool sameRuns(const std::vector<RunRow>& shown, const std::vector<RunRow>& answer, std::size_t shift)
{
    const std::size_t overlap = std::min(shown.size(), answer.size() - std::min(shift, answer.size()));
    for (std::size_t i = 0; i < overlap; ++i)
        if (shown[i].run != answer[i + shift].run)
            return false;
    return true;
}

} // namespace

QString shownModeOf(const RunRow& row)
{
    return row.mode ? shownMode(*row.mode, !row.program.empty()) : QString();
}

QString variantWords(const Variant& variant, bool watched)
{
    return watched ? toQString(variant.backend)
                   : QStringList{toQString(variant.backend), toQString(variant.dtype), mapWords(variant)}.join(
                       QStringLiteral(" · "));
}

QString toTsv(const std::vector<RunRow>& rows)
{
    QStringList lines{
        QStringLiteral("run\tstarted_utc\tcheckpoint\tbackend\tdtype\tdevice_map\tpeak_tree_bytes\tduration_s\tmode")};
    for (const RunRow& row : rows) {
        const bool watched = !row.program.empty();
        QStringList cells{QString::number(row.run.value), toQString(toIsoUtc(row.startedUtc)), nameOf(row),
            toQString(row.variant.backend), watched ? QString() : toQString(row.variant.dtype),
            watched ? QString() : toQString(row.variant.deviceMap), QString::number(row.peakTreeBytes),
            QString::number(secondsOf(row), 'f', 3), modeOf(row)};
        for (QString& cell : cells)
            cell.replace(QLatin1Char('\t'), QLatin1Char(' ')).replace(QLatin1Char('\n'), QLatin1Char(' '));
        lines << cells.join(QLatin1Char('\t'));
    }
    return lines.join(QLatin1Char('\n')) + QLatin1Char('\n');
}

RunsModel::RunsModel(RunLibrary& library, QObject* parent)
    : QAbstractTableModel(parent)
    , m_library(library)
{
    connect(&library, &RunLibrary::runsChanged, this, &RunsModel::refresh);
}

void RunsModel::setFilter(const RunFilter& filter)
{
    const RunOrder order = m_filter.order;
    m_filter = filter;
    m_filter.order = order;
    m_filterChanged = true;
    refresh();
}

void RunsModel::sort(int column, Qt::SortOrder order)
{
    const std::optional<Order> wanted = orderOf(column, order);
    if (!wanted || (wanted->order == m_filter.order && wanted->backwards == m_backwards))
        return;
    m_filter.order = wanted->order;
    m_backwards = wanted->backwards;
    m_filterChanged = true;
    refresh();
}

std::optional<RunsModel::Order> RunsModel::orderOf(int column, Qt::SortOrder order)
{
    const bool up = order == Qt::AscendingOrder;
    switch (column) {
    case Run:
    case Started:
        return Order{up ? RunOrder::Oldest : RunOrder::Newest, false};
    case Peak:
        return Order{up ? RunOrder::PeakUp : RunOrder::PeakDown, false};
    case Duration:
        return Order{up ? RunOrder::DurationUp : RunOrder::DurationDown, false};
    case Checkpoint:
        return Order{RunOrder::Model, !up};
    case Backend:
        return Order{RunOrder::Backend, !up};
    case Dtype:
        return Order{RunOrder::Dtype, !up};
    case Map:
        return Order{RunOrder::DeviceMap, !up};
    case Outcome:
        return Order{RunOrder::Mode, !up};
    default:
        return std::nullopt;
    }
}

void RunsModel::refresh()
{
    // The library tells when it is open.
    if (m_library.state().kind == DatabaseState::Kind::Opening)
        return;
    ++*m_newest;
    m_asked.clear();
    ask(0);
}

void RunsModel::ask(std::size_t page)
{
    m_asked.push_back(page);
    RunFilter filter = m_filter;
    filter.limit = kRowsPerPage;
    filter.offset = page * kRowsPerPage;
    const std::uint64_t number = *m_newest;
    m_library.askPage(this, filter, m_backwards, m_newest, number,
        [this, page, number](Result<RunPage> answer) { take(page, number, std::move(answer)); });
}

void RunsModel::take(std::size_t page, std::uint64_t number, Result<RunPage> answer)
{
    std::erase(m_asked, page);
    if (number != *m_newest)
        return;
    m_ready = true;
    m_error = answer ? std::nullopt : std::optional(answer.error());
    if (answer && page == 0) {
        takeFirst(std::move(*answer));
    } else if (answer && answer->matching == m_matching) {
        const int first = static_cast<int>(page) * kRowsPerPage;
        const int last = std::min(first + static_cast<int>(answer->rows.size()), rowCount()) - 1;
        m_pages[page] = std::move(answer->rows);
        m_recent.push_front(page);
        forgetOldPages();
        if (last >= first)
            Q_EMIT dataChanged(index(first, 0), index(last, ColumnCount - 1));
    } else if (answer) {
        // Runs came or went between two pages: the numbering of the rows is another one.
        QTimer::singleShot(0, this, &RunsModel::refresh);
    }
    Q_EMIT answered();
}

/// The first page tells how the table changed: not at all but in its cells, by new rows at the top, or otherwise.
void RunsModel::takeFirst(RunPage answer)
{
    m_stored = answer.stored;
    const auto shown = m_pages.find(0);
    const bool sameLength = answer.matching == m_matching;
    if (!m_filterChanged && shown != m_pages.end() && sameLength && sameRuns(shown->second, answer.rows, 0)) {
        const int last = static_cast<int>(answer.rows.size()) - 1;
        shown->second = std::move(answer.rows);
        if (last >= 0)
            Q_EMIT dataChanged(index(0, 0), index(last, ColumnCount - 1));
    } else if (m_filterChanged || shown == m_pages.end() || !growAtTop(answer)) {
        replaceAll(std::move(answer));
    }
    m_filterChanged = false;
}

bool RunsModel::growAtTop(const RunPage& answer)
{
    if (answer.matching <= m_matching)
        return false;
    const std::uint64_t added = answer.matching - m_matching;
    if (added >= answer.rows.size() || !sameRuns(m_pages[0], answer.rows, added))
        return false;
    beginInsertRows({}, 0, static_cast<int>(added) - 1);
    m_pages.clear();
    m_recent = {0};
    m_pages[0] = answer.rows;
    m_matching = answer.matching;
    endInsertRows();
    Q_EMIT dataChanged(index(0, 0), index(static_cast<int>(answer.rows.size()) - 1, ColumnCount - 1));
    return true;
}

void RunsModel::replaceAll(RunPage answer)
{
    beginResetModel();
    m_pages.clear();
    m_recent = {0};
    m_matching = std::min<std::uint64_t>(answer.matching, std::numeric_limits<int>::max());
    m_pages[0] = std::move(answer.rows);
    endResetModel();
}

void RunsModel::forgetOldPages()
{
    while (m_recent.size() > kKeptPages) {
        if (m_recent.back() != 0)
            m_pages.erase(m_recent.back());
        m_recent.pop_back();
    }
}

const RunRow* RunsModel::rowAt(int row) const
{
    const auto page = m_pages.find(static_cast<std::size_t>(row / kRowsPerPage));
    const auto at = static_cast<std::size_t>(row % kRowsPerPage);
    return row < 0 || page == m_pages.end() || at >= page->second.size() ? nullptr : &page->second[at];
}

/// rowAt(), asking for the page when it is not there: data() is const, what is cached is not part of the value.
const RunRow* RunsModel::touch(int row) const
{
    const auto page = static_cast<std::size_t>(row / kRowsPerPage);
    if (m_pages.contains(page)) {
        if (m_recent.empty() || m_recent.front() != page) {
            m_recent.remove(page);
            m_recent.push_front(page);
        }
    } else if (std::find(m_asked.begin(), m_asked.end(), page) == m_asked.end()) {
        const_cast<RunsModel*>(this)->ask(page);
    }
    return rowAt(row);
}

int RunsModel::findRow(RunId run) const
{
    for (const auto& [page, rows] : m_pages)
        for (std::size_t i = 0; i < rows.size(); ++i)
            if (rows[i].run == run)
                return static_cast<int>(page) * kRowsPerPage + static_cast<int>(i);
    return -1;
}

int RunsModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_matching);
}

int RunsModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant RunsModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    return headerOf(kHeaders, section, orientation, role, isNumber(section));
}

QVariant RunsModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid())
        return {};
    if (role == Qt::TextAlignmentRole)
        return alignmentOf(isNumber(index.column()));
    const RunRow* row = touch(index.row());
    if (!row)
        return role == Qt::DisplayRole && index.column() == Checkpoint ? QVariant(QStringLiteral("…")) : QVariant();
    switch (role) {
    case Qt::DisplayRole:
        return index.column() == CurveColumn ? QVariant() : display(*row, index.column());
    case Qt::AccessibleTextRole:
        return index.column() == CurveColumn ? sparklineWords(row->peakTreeBytes, secondsOf(*row), shownModeOf(*row))
                                             : display(*row, index.column());
    case Qt::ToolTipRole:
        return index.column() == Checkpoint ? toQString(row->program.empty() ? row->checkpointPath : row->program)
            : index.column() == Map         ? toQString(row->program.empty() ? row->variant.deviceMap : std::string())
                                            : toQString(row->summary);
    case Qt::EditRole:
    case ModeRole:
        return shownModeOf(*row);
    case RunIdRole:
        return QVariant::fromValue<qint64>(row->run.value);
    case SparkValuesRole:
        return QVariant::fromValue(QVector<float>(row->sparkline.begin(), row->sparkline.end()));
    case SparkKeyRole:
        return QStringLiteral("%1:%2:%3").arg(row->run.value).arg(row->sparkline.size()).arg(row->peakTreeBytes);
    default:
        return {};
    }
}

QString RunsModel::display(const RunRow& row, int column) const
{
    switch (column) {
    case Run:
        return QString::number(row.run.value);
    case Started:
        return figures::dateTime(row.startedUtc);
    case Checkpoint:
        return nameOf(row).isEmpty() ? figures::kNone : nameOf(row);
    case Backend:
        return toQString(row.variant.backend);
    case Dtype:
        return row.program.empty() ? toQString(row.variant.dtype) : figures::kNone;
    case Map:
        return row.program.empty() ? mapWords(row.variant) : figures::kNone;
    case Peak:
        return row.peakTreeBytes == 0 ? figures::kNone : figures::gib(row.peakTreeBytes);
    case Duration:
        return row.mode ? figures::duration(row.duration) : figures::kNone;
    case Outcome:
        return lookOf(shownModeOf(row)).words;
    default:
        return {};
    }
}

} // namespace loadlab
