// The entry `@hemi/internal/testing`: contract suites for those who implement an extension point. Each is a list of named tests that throw where
// the contract is broken, for any test runner: `test.each(filterTests(…))("$name", ({ run }) => run())`.

export type { ContractTest } from "./testing/contract-test.ts";
export { filterTests, type FilterSubject } from "./testing/filter-tests.ts";
