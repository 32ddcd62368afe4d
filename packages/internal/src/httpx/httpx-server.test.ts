import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";

const { bootText } = bootWith([]);
const log = openErrorLog({ sink: new MemorySink() });

const webapps = `
  webapp "one" { .hostnames = ("x.example", "y.example") }
  webapp "two" { .hostnames = ("z.example", "x.example") }`;

test("two webapps of one server with one hostname are a mistake of the configuration", async () => {
  const text = `stage { ${webapps} httpxServer "s" { .webapps = ("one", "two") .address = ":0" } }`;
  await expect(bootText(text, { log })).rejects.toThrow('the hostname "x.example" is that of webapp.one too');
});

test("on two servers they may have it", async () => {
  const text = `stage { ${webapps}
    httpxServer "s" { .webapps = ("one") .address = ":0" }
    httpxServer "t" { .webapps = ("two") .address = ":0" }
  }`;
  await expect(bootText(text, { log })).resolves.toBeDefined();
});

test("two servers on one address are a mistake of the configuration", async () => {
  const text = `stage { ${webapps}
    httpxServer "s" { .webapps = ("one") .address = ":3080" }
    httpxServer "t" { .webapps = ("two") .address = ":3080" }
  }`;
  await expect(bootText(text, { log })).rejects.toThrow("the address :3080");
});
