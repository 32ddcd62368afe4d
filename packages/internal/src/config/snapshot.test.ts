import { expect, test } from "vitest";
import { loadConfig } from "./load.ts";
import { filesOfSnapshot, SnapshotRecorder } from "./snapshot.ts";

const onDisk = {
  read: (location: string) =>
    Promise.resolve(location.endsWith("main.conf") ? "stage { <sites/*.conf> }" : `webapp "${location.at(-6)}" {}`),
  glob: () => Promise.resolve(["/base/sites/a.conf", "/base/sites/b.conf"]),
};

test("a configuration is loaded again from what was read the first time", async () => {
  const recorder = new SnapshotRecorder(onDisk);
  const first = await loadConfig({ file: "/base/main.conf", baseDir: "/base", files: recorder });
  const sent: unknown = JSON.parse(JSON.stringify(recorder.snapshot));
  expect(sent).toEqual(recorder.snapshot);
  const again = await loadConfig({
    file: "/base/main.conf",
    baseDir: "/base",
    files: filesOfSnapshot(recorder.snapshot),
  });
  expect(first.spec?.children).toHaveLength(2);
  expect(again.spec).toEqual(first.spec);
  expect(again.problems).toEqual([]);
});

test("a file that is not in the snapshot cannot be read", async () => {
  const files = filesOfSnapshot({ texts: {}, globs: {} });
  await expect(loadConfig({ file: "/base/main.conf", files })).rejects.toMatchObject({
    code: "HEMI_FILE",
    message: "/base/main.conf cannot be read: it is not part of the running configuration",
  });
  expect(await files.glob("*.conf", "/base")).toEqual([]);
});
