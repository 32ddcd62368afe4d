export * from "./http-date.ts";
export * from "./nearest-names.ts";
