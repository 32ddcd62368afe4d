import { expect, test } from "vitest";
import { isSecretName, withoutSecrets, withoutUrlPassword } from "./secrets.ts";

test.each(["password", "users", "clientSecret", "authorization", "token", "apiKey", "key", "set-cookie"])(
  "%s is the name of a secret",
  (name) => {
    expect(isSecretName(name)).toBe(true);
  },
);

test.each(["webRoot", "hostnames", "keepConns", "keyField", "monkey", "cookieName"])("%s is none", (name) => {
  expect(isSecretName(name)).toBe(false);
});

test("secrets of a configuration are hidden, and its lines stay where they are", () => {
  const text = `stage {
    webapp "shop" {
        rule {
            basicAuth {
                .users = (
                    "ann:$scrypt$1",
                    "bob:$scrypt$2"
                )
                .realm = "shop"
            }
            head { .set = ["x-a": "1", "authorization": "Bearer " + "abc"] }
        }
    }
    redisStater "r" { .url = "redis://ann:geheim@127.0.0.1:6379" .password = "line one
line two" }
}
`;
  const shown = withoutSecrets(text);
  for (const secret of ["ann:$", "bob:$", "Bearer", "abc", "geheim", "line one", "line two"]) {
    expect(shown).not.toContain(secret);
  }
  expect(shown).toContain('.realm = "shop"');
  expect(shown).toContain('"x-a": "1"');
  expect(shown).toContain("redis://ann:•••@127.0.0.1:6379");
  expect(shown.split("\n")).toHaveLength(text.split("\n").length);
});

test("a text that is no configuration is shown as far as it has no secrets", () => {
  expect(withoutSecrets('.password = ("a", "b"')).toBe('.password = ("•••", "•••"');
  expect(withoutUrlPassword("http://127.0.0.1:80/a@b")).toBe("http://127.0.0.1:80/a@b");
});
