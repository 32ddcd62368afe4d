// A vitest reporter that tells `npm test` how many tests passed, failed and were skipped, and why those were.
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import { root } from "../workspace.mjs";

/** Writes `{ passed, failed, skipped: [{ name, reason }] }` to the file that HEMI_UNIT_COUNTS names. */
export default class UnitReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) {
      // A file or a describe that fails by itself (a broken import, a failing hook) counts as one failure.
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") counts.passed += 1;
        else if (result.state === "skipped") {
          const name = `${relative(root, module.moduleId)}: ${test.fullName}`;
          counts.skipped.push({ name, reason: result.note ?? "no reason given" });
        } else counts.failed += 1;
      }
    }
    writeFileSync(process.env.HEMI_UNIT_COUNTS, JSON.stringify(counts));
  }
}
