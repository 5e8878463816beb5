#include "cli/CheckpointCard.h"

#include "cli/Table.h"
#include "core/Units.h"

#include <algorithm>

namespace loadlab::cli {
namespace {

std::string share(std::uint64_t part, std::uint64_t whole)
{
    if (whole == 0)
        return "-";
    const auto tenths = static_cast<unsigned>(1000.0 * static_cast<double>(part) / static_cast<double>(whole) + 0.5);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

void printWhatItIs(Output& out, const Checkpoint& checkpoint)
{
    out.printLine(out.painted(Paint::Strong, printable(checkpoint.name)) + "  "
        + out.painted(paintOf(checkpoint.state), toWireName(checkpoint.state)));
    out.printLine("  path        " + printable(checkpoint.path.string()));
    const std::string family = checkpoint.family.empty() ? "unknown" : printable(checkpoint.family);
    out.printLine("  family      " + family
        + (checkpoint.architecture.empty() ? "" : "  (" + printable(checkpoint.architecture) + ")"));
    out.printLine("  weights     " + formatSize(checkpoint.weightBytes) + ", "
        + formatCount(checkpoint.tensorCount, "tensor") + ", " + formatParameters(checkpoint.parameters) + " ("
        + formatCount(checkpoint.parameters, "parameter") + ")"
        + (checkpoint.shardsExpected > 1 ? ", shards " + std::to_string(checkpoint.shardsPresent) + " of "
                    + std::to_string(checkpoint.shardsExpected)
                                         : ""));
    std::string dtypes;
    for (const auto& [name, elements] : checkpoint.dtypes)
        dtypes += (dtypes.empty() ? "" : ", ") + printable(name) + " " + share(elements, checkpoint.parameters);
    if (!dtypes.empty())
        out.printLine("  dtypes      " + dtypes);
    if (const auto& quantization = checkpoint.quantization)
        out.printLine("  quantized   " + printable(quantization->method)
            + (quantization->format.empty() ? "" : ", " + printable(quantization->format))
            + (quantization->bits ? ", " + std::to_string(*quantization->bits) + " bit" : "")
            + (quantization->groupSize ? ", groups of " + std::to_string(*quantization->groupSize) : ""));
    for (const Problem& problem : checkpoint.problems)
        out.printLine("  " + out.painted(Paint::Bad, "problem") + "     "
            + (problem.file.empty() ? "" : printable(problem.file) + ": ") + printable(problem.text) + " ["
            + std::string(toWireName(problem.mode)) + "]");
    for (const std::string& note : checkpoint.notes)
        out.printLine("  note        " + printable(note));
}

} // namespace

Paint paintOf(CheckpointState state)
{
    switch (state) {
    case CheckpointState::Complete:
        return Paint::Good;
    case CheckpointState::Unsupported:
        return Paint::Warn;
    default:
        return Paint::Bad;
    }
}

void printCheckpoint(Output& out, const Checkpoint& checkpoint)
{
    printWhatItIs(out, checkpoint);
    if (!checkpoint.components.empty()) {
        out.printLine("");
        Table table({{"component"}, {"tensors", true}, {"parameters", true}, {"size", true}, {"share", true}});
        for (const Component& component : checkpoint.components)
            table.add({component.name, formatCount(component.tensors), formatParameters(component.parameters),
                formatSize(component.sizeBytes), share(component.sizeBytes, checkpoint.weightBytes)});
        table.printTo(out);
    }
    if (!checkpoint.files.empty()) {
        out.printLine("");
        Table table({{"file", false, true}, {"role"}, {"size", true}, {"check"}});
        for (const CheckpointFile& file : checkpoint.files)
            table.add({file.name, file.role, file.present ? formatSize(file.sizeBytes) : "-",
                {file.check, file.present ? Paint::Plain : Paint::Bad}});
        table.printTo(out);
    }
    if (!checkpoint.estimates.empty()) {
        out.printLine("");
        Table table({{"estimate for"}, {"dtype"}, {"device map"}, {"peak", true}, {"steady", true}});
        for (const Estimate& estimate : checkpoint.estimates)
            table.add({estimate.backend, estimate.dtype, estimate.deviceMap, formatSize(estimate.peakBytes),
                formatSize(estimate.steadyBytes)});
        table.printTo(out);
    }
}

} // namespace loadlab::cli
