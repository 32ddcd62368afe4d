import { expect, test } from "vitest";
import { FolderUse } from "./folder-use.ts";

const useOf = (path: string) => {
  const subject = {
    forgotten: 0,
    use: new FolderUse(path, () => {
      subject.forgotten++;
    }),
  };
  subject.use.join();
  return subject;
};

test("the cacher that has taken charge last is in charge, and the one before it again if that leaves", () => {
  const [one, two] = [useOf("/a").use, useOf("/a").use];
  one.takeCharge();
  expect([one, two].map(({ isInCharge }) => isInCharge)).toEqual([true, false]);
  two.takeCharge();
  expect([one, two].map(({ isInCharge }) => isInCharge)).toEqual([false, true]);
  two.leave();
  expect(one.isInCharge).toBe(true);
  one.leave();
});

test("cachers of one folder share writes and purges, those of others do not, nor those after the last has left", () => {
  const [one, two, other] = [useOf("/a"), useOf("/a"), useOf("/b")];
  expect(two.use.purges).toBe(one.use.purges);
  expect(two.use.writes).toBe(one.use.writes);
  expect(other.use.writes).not.toBe(one.use.writes);
  one.use.forgetAll();
  expect([one, two, other].map(({ forgotten }) => forgotten)).toEqual([1, 1, 0]);
  for (const { use } of [one, two, other]) use.leave();
  const later = useOf("/a");
  expect(later.use.writes).not.toBe(one.use.writes);
  later.use.leave();
});
