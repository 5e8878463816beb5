#pragma once

#include "core/Result.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// A tensor that a family's checkpoint must hold, computed from config.json.
struct ExpectedTensor {
    std::string name;
    std::vector<std::uint64_t> shape;
    bool optional = false; ///< May be absent (a tied lm_head).
};

/// One model family, wholly described by resources/families/NAME.json (documented in resources/families/README.md):
/// model types, config keys in all their spellings, components by tensor-name patterns, expected tensors with shapes
/// as expressions over config keys.
class Family {
public:
    [[nodiscard]] const std::string& name() const; ///< "qwen2", "llama", "qwen3", "qwen3_moe", "qwen3_omni_moe".
    [[nodiscard]] const std::string& title() const; ///< "Qwen2.5"
    /// The component of a tensor by its name, e.g. "experts", "vision", "lm_head"; "other" when no pattern matches.
    [[nodiscard]] std::string_view componentOf(std::string_view tensorName) const;
    /// The words for a component, e.g. "Experts, thinker".
    [[nodiscard]] std::string_view titleOfComponent(std::string_view component) const;
    [[nodiscard]] bool isModelType(std::string_view modelType) const;
    /// Tensors that old files hold and nobody needs (rotary_emb.inv_freq): neither expected nor a surprise.
    [[nodiscard]] bool ignores(std::string_view tensorName) const;
    /// A value under its family's name, in whichever spelling the config has it ("rope_theta" also stands in
    /// rope_parameters.rope_theta); null where it is absent.
    [[nodiscard]] nlohmann::json findValue(const nlohmann::json& config, std::string_view value) const;
    /// Every tensor that the config promises, by architectures[0]. Errors: NotFound where the family has no list for
    /// that architecture; Invalid where the config lacks a key that is needed or holds no whole number there, or
    /// promises more than 300,000 tensors.
    [[nodiscard]] Result<std::vector<ExpectedTensor>> expectedTensors(const nlohmann::json& config) const;

    struct Data;
    explicit Family(std::shared_ptr<const Data> data);

private:
    std::shared_ptr<const Data> m_data;
};

/// All families of a resource folder. A broken file is listed in errors() and hurts nothing else.
class FamilyCatalog {
public:
    static FamilyCatalog load(const std::filesystem::path& familiesFolder);

    [[nodiscard]] const Family* findByModelType(std::string_view modelType) const; ///< Also a sub-config's model_type.
    [[nodiscard]] const std::vector<Family>& families() const { return m_families; }
    /// Components for checkpoints of no known family (families/generic.json); null where that file is absent.
    [[nodiscard]] const Family* generic() const { return m_generic ? &*m_generic : nullptr; }
    [[nodiscard]] const std::vector<Error>& errors() const { return m_errors; }

private:
    std::vector<Family> m_families;
    std::optional<Family> m_generic;
    std::vector<Error> m_errors;
};

} // namespace loadlab
