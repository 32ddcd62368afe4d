// A configuration of thousands of rules, each for a path of its own.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Writes it to a file of its own. `operator` is what a rule asks of its path: rule 7 is for `/section-7/`. */
export function manyRules(count: number, operator: "==" | "^="): string {
  const file = join(mkdtempSync(join(tmpdir(), "hemi-bench-")), "rules.conf");
  const rules = Array.from(
    { length: count },
    (_, i) =>
      `        rule "r${i}" $path ${operator} "/section-${i}/" && $method == ("GET", "HEAD") { .returnText = "rule ${i}" }`,
  );
  writeFileSync(
    file,
    `stage {
    webapp "large" {
        .hostnames = ("*")
${rules.join("\n")}
    }
    httpxServer "main" { .webapps = ("large") .address = "127.0.0.1:" + %env(PORT, "0") }
}
`,
  );
  return file;
}
