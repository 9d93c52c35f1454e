/** Which rules of a guide somebody looks for. */

import type { ProjectName, Rule } from "../lib/wire";

/** The sentence of *rule* for who reads *language*; English where it has no other. */
export function sentence(rule: Rule, language: string): { text: string; lang: string } {
  const own = rule.say[language];
  return own === undefined ? { text: rule.say["en"] ?? "", lang: "en" } : { text: own, lang: language };
}

/** Those of *rules* that have every word of *wanted*, in their sentence for *language* or in a spelling. */
export function matching(rules: readonly Rule[], wanted: string, language: string): Rule[] {
  const words = folded(wanted).split(/\s+/u).filter((word) => word !== "");
  return rules.filter((rule) => {
    const said = folded([sentence(rule, language).text, ...rule.good, ...rule.bad].join("\n"));
    return words.every((word) => said.includes(word));
  });
}

/** Those of *names* that have every word of *wanted*, as written or as misspelt. */
export function matchingNames(names: readonly ProjectName[], wanted: string): ProjectName[] {
  const words = folded(wanted).split(/\s+/u).filter((word) => word !== "");
  return names.filter((name) => {
    const said = folded([name.term, name.spoken ?? ""].join("\n"));
    return words.every((word) => said.includes(word));
  });
}

/** As it is looked for: composed, without case. */
function folded(text: string): string {
  return text.normalize("NFC").toLowerCase();
}
