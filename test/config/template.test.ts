import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { SettingsFile } from "../../config/schema.ts";
import { settingsTemplate } from "../../config/template.ts";

describe("the file that `mergewright init` writes", () => {
  it("says what holds anyway", () => {
    expect(SettingsFile.parse(parse(settingsTemplate()))).toEqual(SettingsFile.parse({}));
  });

  it("names every setting", () => {
    const text = settingsTemplate();
    for (const name of Object.keys(SettingsFile.shape)) expect(text).toMatch(new RegExp(`^(# )?${name}:`, "m"));
  });

  it("its commented-out examples are settings too", () => {
    const uncommented = settingsTemplate()
      .split("\n")
      .filter((line) => !/^\s*# [A-Z`]/.test(line))
      .map((line) => line.replace(/^(\s*)# (?=\s*[a-z_/]+:)/, "$1"))
      .join("\n");
    const settings = SettingsFile.parse(parse(uncommented));
    expect(settings.test_command).toBe("npm test");
    expect(settings.sandbox.image).toBe("node:22-bookworm");
    expect(Object.keys(settings.tenants)).toEqual(["acme"]);
    expect(Object.keys(settings.repositories)).toEqual(["acme/webshop"]);
  });
});
