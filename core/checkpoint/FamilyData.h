#pragma once

#include "core/checkpoint/Expression.h"
#include "core/checkpoint/Family.h"
#include "core/checkpoint/Glob.h"

#include <optional>
#include <string>
#include <vector>

namespace loadlab {

/// A file of resources/families, compiled. The format is documented in resources/families/README.md.
struct Family::Data {
    struct Value {
        std::string name;
        std::vector<std::string> keys; ///< Spellings, "a.b.c" for nested ones; the first that the config has counts.
        std::optional<Expression> fallback; ///< Over the values before it.
        std::optional<std::vector<std::int64_t>> fallbackList;
    };
    struct ComponentRule {
        std::string name;
        std::string title;
        std::vector<Glob> patterns;
    };
    /// "model.layers.{layer}." in parts: a text, then perhaps a number.
    struct NamePart {
        std::string text;
        std::optional<Expression> number;
    };
    struct TensorRule {
        std::vector<NamePart> name;
        std::vector<Expression> shape;
        bool shapeVaries = false; ///< With a loop's variable.
    };
    struct Loop {
        std::string variable;
        Expression count;
    };
    struct Group {
        std::vector<Loop> loops;
        std::optional<Expression> when;
        std::optional<Expression> optional;
        std::vector<TensorRule> tensors;
    };
    struct Layout {
        std::vector<std::string> architectures;
        std::vector<Group> groups;
    };

    std::string name;
    std::string title;
    std::vector<std::string> modelTypes;
    std::vector<Value> values;
    std::vector<ComponentRule> components; ///< The first that matches counts.
    std::vector<Layout> layouts;
    std::vector<Glob> ignored; ///< Tensors that old files hold and nobody needs.
};

/// Compiles the text of one family file. Errors: Invalid, naming the place in the file.
Result<std::shared_ptr<const Family::Data>> parseFamily(std::string_view text);

/// The value under the first of the spellings that the config has; null where it has none.
const nlohmann::json* findSpelling(
    const nlohmann::json& config, const std::vector<std::string>& keys, const std::string** used = nullptr);

/// What each value of the family is in this config; in the order of Data::values.
std::vector<Binding> bindValues(const Family::Data& data, const nlohmann::json& config);

/// The tensors of a layout. Errors: Invalid where a value that is needed is absent or no whole number, or where the
/// config promises more than 300,000 tensors.
Result<std::vector<ExpectedTensor>> expandLayout(const Family::Data::Layout& layout, std::vector<Binding> bindings);

} // namespace loadlab
