// The entry `@hemi/internal/testing`: contract suites for implementations of an extension point. Each suite is a list
// of named tests that throw if the contract is violated, for any test runner:
// `test.each(filterTests(…))("$name", ({ run }) => run())`.

export { departureTests, type DepartureSubject } from "./testing/departure-tests.ts";
export type { ContractTest } from "./testing/contract-test.ts";
export { filterTests, type FilterSubject } from "./testing/filter-tests.ts";
export { staterTests, type StaterSubject, type StaterTestOptions } from "./testing/stater-tests.ts";
export { serveRpc, type RpcSite, type RpcSiteOptions } from "./testing/rpc/rpc-site.ts";
export { testBundlet, testService } from "./testing/rpc/test-service.ts";
export { cacherTests, type CacherSubject } from "./testing/cacher-tests.ts";
export { makeCertificate } from "./testing/make-certificate.ts";
export { listening, type Listening } from "./testing/listening.ts";
export { linkedWorkers } from "./testing/linked-workers.ts";
export { lockServiceTests, type LockServiceSubject } from "./testing/lock-service-tests.ts";
export { rateLimitStoreTests, type RateLimitStoreSubject } from "./testing/rate-limit-store-tests.ts";
export { readmeStage } from "./testing/readme-stage.ts";
export { Uncaught } from "./testing/uncaught.ts";
