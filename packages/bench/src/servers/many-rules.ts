// A configuration of thousands of rules, each for a path of its own.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Writes it to a file of its own. */
export function manyRules(count: number, operator: "==" | "^="): string {
  const file = join(mkdtempSync(join(tmpdir(), "hemi-bench-")), "rules.conf");
  writeFileSync(file, rulesConfig(count, operator));
  return file;
}

/**
 * Its text. `operator` is what a rule asks of its path: rule 7 is for `/section-7/`. `changed`: a rule with a text of
 * its own.
 */
export function rulesConfig(
  count: number,
  operator: "==" | "^=",
  changed?: { readonly rule: number; readonly text: string },
): string {
  const rules = Array.from({ length: count }, (_, i) => {
    const text = i === changed?.rule ? changed.text : `rule ${i}`;
    return `        rule "r${i}" $path ${operator} "/section-${i}/" && $method == ("GET", "HEAD") { .returnText = "${text}" }`;
  });
  return `stage {
    webapp "large" {
        .hostnames = ("*")
${rules.join("\n")}
    }
    httpxServer "main" { .webapps = ("large") .address = "127.0.0.1:" + %env(PORT, "0") }
}
`;
}
