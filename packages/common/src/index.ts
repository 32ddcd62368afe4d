export * from "./http-date.ts";
