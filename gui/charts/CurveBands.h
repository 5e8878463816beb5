#pragma once

#include "core/curve/Pyramid.h"
#include "core/curve/Sample.h"
#include "gui/widgets/Theme.h"

#include <QString>

#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace loadlab {

/// A curve taken apart into what a chart draws: bands that stack up to what the tree holds, the tree's own line, lanes
/// of rates. Grows with a live run; every line keeps all points, and what it takes to draw any stretch of
/// them at once (charts decimate for their width).
class CurveBands {
public:
    /// One band. `edge` is its upper edge in bytes, stacked on the bands before it; all edges share their x values.
    /// Empty as long as the band never held anything.
    struct Band {
        Column column;
        QString name; ///< "Resident"
        QString shortName; ///< "Res."
        QString remark; ///< "anonymous"
        Role role;
        bool seen = false; ///< The counter was there.
        double peak = 0; ///< Largest value of its own, unstacked.
        Track edge;
    };
    /// A rate over time below the memory plot. No point where nothing is known: before the first stretch that a slope
    /// can be taken from is over, and again after its counter was started anew.
    struct Lane {
        QString name;
        QString unit;
        Role role;
        Column column;
        double perSecond; ///< Factor from the counter's slope to the unit.
        double peak = 0;
        Track points;
        std::deque<Point> window; ///< Of the counter: what the slope is taken from.

        /// The rate at a sample's time; nothing where none was measured.
        [[nodiscard]] std::optional<double> rateAt(double seconds) const;
    };

    /// `gpuInPool`: GPU memory is part of the machine's memory and stacks; else it is a line of its own, never added.
    explicit CurveBands(bool gpuInPool = false);

    void append(std::span<const Sample> samples, std::int64_t originNs);

    [[nodiscard]] const std::vector<Band>& bands() const { return m_bands; }
    /// tree_bytes: anonymous + shared + swap, never file pages.
    [[nodiscard]] const Track& total() const { return m_total; }
    /// GPU memory that is not part of the pool; empty when it stacks or there is none.
    [[nodiscard]] const Track& gpu() const { return m_gpu; }
    [[nodiscard]] const std::vector<Lane>& lanes() const { return m_lanes; }

    [[nodiscard]] bool isEmpty() const { return m_times.empty(); }
    [[nodiscard]] const std::vector<double>& times() const { return m_times; }
    /// The sample nearest to a time; only when not empty.
    [[nodiscard]] std::size_t nearest(double seconds) const;
    /// The last sample at or before a time (the first one when none is).
    [[nodiscard]] std::size_t lastUpTo(double seconds) const;
    /// A band's own value at a sample.
    [[nodiscard]] double valueOf(std::size_t band, std::size_t sample) const;
    /// The upper edge of all bands at a sample.
    [[nodiscard]] double stackAt(std::size_t sample) const;
    /// Highest edge (stacked) or tree line between two times; 0 when no sample lies there.
    [[nodiscard]] double highestBetween(double fromS, double toS, bool stacked) const;
    /// Where the stack, or the tree's line, is highest.
    [[nodiscard]] std::size_t highestStack() const { return m_highestStack; }
    [[nodiscard]] std::size_t highestTotal() const { return m_highestTotal; }

private:
    void appendBands(const Sample& sample, double seconds);
    [[nodiscard]] const Track* edgeBelow(std::size_t band) const;
    static void appendRate(Lane& lane, const Sample& sample, double seconds);

    bool m_gpuInPool;
    std::vector<Band> m_bands;
    Track m_total;
    Track m_gpu;
    std::vector<Lane> m_lanes;
    std::vector<double> m_times;
    std::size_t m_highestStack = 0;
    std::size_t m_highestTotal = 0;
};

} // namespace loadlab
