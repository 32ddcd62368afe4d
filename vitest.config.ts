// How the unit tests run: packages by their sources, so that no build stands between an edit and its test.
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** The condition under which every `@hemi/*` package exports its TypeScript sources. */
const sourceCondition = "@hemi/source";

export default defineConfig({
  resolve: { conditions: [sourceCondition] },
  ssr: { resolve: { conditions: [sourceCondition, "node", "module", "default"] } },
  test: {
    include: [
      "packages/**/src/**/*.test.ts",
      "packages/*/e2e/**/*.test.ts",
      "examples/**/*.test.ts",
      "scripts/**/*.test.{mjs,ts}",
    ],
    exclude: ["**/node_modules/**", "**/dist/**"],
    // Processes, not threads: tests open sockets, change the environment and send signals.
    pool: "forks",
    // One more than there are by default: those who test processes wait for them most of the time.
    maxWorkers: availableParallelism(),
    // What a worker imports or starts past vite (a fork of the test's own) finds the sources too.
    execArgv: [`--conditions=${sourceCondition}`],
    // Generous, because a check of the whole workspace runs linters beside the tests; no test waits for it when it
    // passes.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    retry: 0,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
  },
});
