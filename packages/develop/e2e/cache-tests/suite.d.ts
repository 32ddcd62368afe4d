// What is used of http-cache-tests, which has no types.

declare module "http-cache-tests/tests/index.mjs" {
  /** A test of the suite. */
  export interface CacheTest {
    readonly id: string;
    readonly name: string;
    /** `check`: tells how caches behave, and none is wrong. Default: `required`. */
    readonly kind?: "required" | "optimal" | "check";
    readonly browser_only?: boolean;
  }
  const suites: readonly { readonly name: string; readonly tests: readonly CacheTest[] }[];
  export default suites;
}

declare module "http-cache-tests/client/runner.mjs" {
  /** `true`: passed. Otherwise the kind of the failure and its message. */
  export type Results = Record<string, true | readonly [kind: string, message: string]>;
  /** `atOnce`: how many cases are asked at once. */
  export function runTests(
    suites: object,
    fetch: object,
    isBrowser: boolean,
    base: string,
    atOnce: number,
  ): Promise<void>;
  export function getResults(): Results;
}

declare module "http-cache-tests/lib/display.mjs" {
  /** A symbol of a font, a colour, and the mark of the judgement: ✅, ⛔️ and so on. */
  export function determineTestResult(
    suites: object,
    id: string,
    results: object,
  ): readonly [symbol: string, colour: string, mark: string];
}

declare module "http-cache-tests/server/*" {
  import type { IncomingMessage, ServerResponse } from "node:http";
  export default function handle(segments: readonly string[], request: IncomingMessage, response: ServerResponse): void;
}
