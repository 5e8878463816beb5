#pragma once

#include "core/Result.h"

#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// One word of a POSIX shell command: as it is where that is safe, else in quotes. A word with control characters or
/// bytes that are not UTF-8 becomes $'\n\xff' (bash and zsh, not every sh).
std::string quotedForShell(std::string_view word);
/// Words with blanks between them, each quoted: splitLikeShell() gives them back, whatever their bytes.
std::string shellLine(const std::vector<std::string>& words);

/// A line taken apart as a shell would, and nothing more: nothing is run, expanded or redirected.
struct SplitLine {
    std::vector<std::string> words;
    /// Outside of quotes a shell would act on these; here they are ordinary: "|", "$". Each once, as they come.
    std::vector<std::string> inert;
};
/// Blanks part words; '…', "…", $'…' and backslashes keep things together. Invalid names what is not closed and where.
Result<SplitLine> splitLikeShell(std::string_view line);

/// At most so many characters: of longer text its beginning and end, with "…" between. UTF-8 in and out.
std::string shortenedInMiddle(std::string_view text, std::size_t most);
/// A program in few words, for lists: its name without folders and its arguments, "train.py --name 'a b'"; UTF-8,
/// shortened in the middle. Empty where there is none.
std::string programWords(const std::vector<std::string>& program, std::size_t most = 200);

} // namespace loadlab
