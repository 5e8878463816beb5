#include "core/checkpoint/ModuleBlocks.h"

#include "core/Text.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <tuple>
#include <unordered_map>

namespace loadlab {
namespace {

bool isNumber(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<std::string_view> componentsOf(std::string_view name)
{
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t dot = name.find('.');
        parts.push_back(name.substr(0, dot));
        if (dot == std::string_view::npos)
            return parts;
        name.remove_prefix(dot + 1);
    }
}

bool contains(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

/// 0 embeddings and what reads the input, 1 the ordinary, 2 what follows the layers, 3 heads.
int rankOf(std::string_view component)
{
    static constexpr std::array<std::string_view, 5> first{"embed", "wte", "wpe", "conv1", "conv2"};
    static constexpr std::array<std::string_view, 3> late{"norm", "ln_f", "ln_post"};
    static constexpr std::array<std::string_view, 3> last{"head", "score", "classifier"};
    const auto has = [&](const auto& words) {
        return std::any_of(words.begin(), words.end(), [&](auto word) { return contains(component, word); });
    };
    return has(first) ? 0 : has(last) ? 3 : has(late) ? 2 : 1;
}

/// Numbers by value, words by rank and then by letters.
struct Step {
    int rank = 0;
    std::size_t digits = 0; ///< Length of a number without leading zeros: longer is larger.
    std::string_view text;

    explicit Step(std::string_view component)
        : rank(isNumber(component) ? 1 : rankOf(component))
        , text(component)
    {
        if (isNumber(component)) {
            text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
            digits = text.size() + 1;
        }
    }
    auto operator<=>(const Step&) const = default;
};

std::vector<Step> stepsOf(std::string_view name)
{
    std::vector<Step> steps;
    for (const std::string_view part : componentsOf(name))
        steps.emplace_back(part);
    return steps;
}

/// One module of the tree that merges siblings.
struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
    std::optional<std::string> device; ///< Of a tensor.
};

Node& childOf(Node& node, std::string_view name)
{
    auto found = node.children.find(name);
    if (found == node.children.end())
        found = node.children.emplace(std::string(name), std::make_unique<Node>()).first;
    return *found->second;
}

/// The device that everything below shares. Where it differs, writes the children's own into `modules`.
std::optional<std::string> collect(
    const Node& node, const std::string& path, std::map<std::string, std::string>& modules)
{
    std::vector<std::pair<std::string, std::string>> uniform;
    bool mixed = false;
    for (const auto& [name, child] : node.children) {
        const std::string childPath = path.empty() ? name : path + "." + name;
        if (auto device = collect(*child, childPath, modules))
            uniform.emplace_back(childPath, *device);
        else
            mixed = true;
    }
    if (node.device)
        uniform.emplace_back(path, *node.device);
    const bool same = !mixed && !uniform.empty() && std::all_of(uniform.begin(), uniform.end(), [&](const auto& e) {
        return e.second == uniform.front().second;
    });
    if (same)
        return uniform.front().second;
    modules.insert(uniform.begin(), uniform.end());
    return std::nullopt;
}

} // namespace

std::string_view blockOf(std::string_view tensorName)
{
    std::size_t begin = 0;
    for (;;) {
        const std::size_t dot = tensorName.find('.', begin);
        if (isNumber(tensorName.substr(begin, dot == std::string_view::npos ? dot : dot - begin)))
            return tensorName.substr(0, dot);
        if (dot == std::string_view::npos)
            break;
        begin = dot + 1;
    }
    return begin == 0 ? tensorName : tensorName.substr(0, begin - 1);
}

bool isAtOrBelow(std::string_view name, std::string_view prefix)
{
    if (prefix.empty())
        return true;
    return name.substr(0, prefix.size()) == prefix && (name.size() == prefix.size() || name[prefix.size()] == '.');
}

std::vector<ModuleBlock> moduleBlocks(std::span<const PlacedTensor> tensors)
{
    std::vector<ModuleBlock> blocks;
    std::unordered_map<std::string_view, std::size_t> known;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const std::string_view name = blockOf(tensors[i].name);
        const auto [at, isNew] = known.emplace(name, blocks.size());
        if (isNew)
            blocks.push_back({name, 0, {}});
        blocks[at->second].sizeBytes += tensors[i].sizeBytes;
        blocks[at->second].tensors.push_back(i);
    }
    std::vector<std::pair<std::vector<Step>, std::size_t>> order;
    for (std::size_t i = 0; i < blocks.size(); ++i)
        order.emplace_back(stepsOf(blocks[i].name), i);
    std::sort(order.begin(), order.end());
    std::vector<ModuleBlock> sorted;
    for (const auto& [steps, index] : order)
        sorted.push_back(std::move(blocks[index]));
    return sorted;
}

std::map<std::string, std::string> mergedModules(
    std::span<const std::string_view> tensorNames, std::span<const std::string> devices)
{
    const bool uniform
        = std::all_of(devices.begin(), devices.end(), [&](const auto& d) { return d == devices.front(); });
    if (uniform)
        return devices.empty() ? std::map<std::string, std::string>{}
                               : std::map<std::string, std::string>{{"", devices.front()}};
    Node root;
    for (std::size_t i = 0; i < tensorNames.size(); ++i) {
        Node* node = &root;
        const std::string name = toUtf8(tensorNames[i]);
        for (const std::string_view part : componentsOf(name))
            node = &childOf(*node, part);
        node->device = devices[i];
    }
    std::map<std::string, std::string> modules;
    collect(root, {}, modules);
    return modules;
}

} // namespace loadlab
