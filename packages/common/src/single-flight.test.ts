import { expect, test } from "vitest";
import { SingleFlight } from "./single-flight.ts";

test("those who ask while a task runs share its one run", async () => {
  const flights = new SingleFlight<number>();
  const { promise, resolve } = Promise.withResolvers<number>();
  let runs = 0;
  const task = () => {
    runs++;
    return promise;
  };
  const all = Promise.all([flights.run("a", task), flights.run("a", task), flights.run("b", () => Promise.resolve(2))]);
  resolve(1);
  expect(await all).toEqual([1, 1, 2]);
  expect(runs).toBe(1);
});

test("nothing is kept once a task has settled", async () => {
  const flights = new SingleFlight<number>();
  expect(await flights.run("a", () => Promise.resolve(1))).toBe(1);
  expect(await flights.run("a", () => Promise.resolve(2))).toBe(2);
  expect(flights.size).toBe(0);
});

test("an error reaches all who wait, and the next one tries again", async () => {
  const flights = new SingleFlight<number>();
  const fail = () => Promise.reject(new Error("no"));
  const results = await Promise.allSettled([flights.run("a", fail), flights.run("a", fail)]);
  expect(results.map((result) => result.status)).toEqual(["rejected", "rejected"]);
  expect(await flights.run("a", () => Promise.resolve(1))).toBe(1);
});

test("a task that throws at once is a rejected one", async () => {
  const flights = new SingleFlight<number>();
  const task = () => {
    throw new Error("no");
  };
  await expect(flights.run("a", task)).rejects.toThrow("no");
  expect(flights.size).toBe(0);
});

test("waiting for all waits for those that fail, too", async () => {
  const flights = new SingleFlight<number>();
  const done: string[] = [];
  const first = flights.run("a", () => Promise.reject(new Error("no"))).catch(() => done.push("a"));
  const second = flights.run("b", () => Promise.resolve(1));
  await flights.settled();
  await Promise.all([first, second]);
  expect(done).toEqual(["a"]);
  expect(flights.size).toBe(0);
});
