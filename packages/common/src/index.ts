export * from "./deadlines.ts";
export * from "./http-date.ts";
export * from "./nearest-names.ts";
export * from "./quietly.ts";
export * from "./reason-phrases.ts";
export * from "./single-flight.ts";
export * from "./thread-pool.ts";
export * from "./turns.ts";
