/** Prompts are Markdown files with `{{names}}`. Filling one fails on a name without a value and on a value without a name. */
import { readFileSync } from "node:fs";

const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;

/** The prompt file with its placeholders filled. Read once for each process. */
export function renderPrompt(file: string, values: Readonly<Record<string, string>>): string {
  return fillTemplate(loadPrompt(file), values, file);
}

/** Throws when a placeholder has no value, or a value no placeholder: a renamed setting must not go unnoticed. */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>, name: string): string {
  const unused = new Set(Object.keys(values));
  const text = template.replaceAll(PLACEHOLDER, (_, key: string) => {
    const value = Object.hasOwn(values, key) ? values[key] : undefined;
    if (value === undefined)
      throw new Error(
        `The prompt ${name} asks for {{${key}}}, and no such value is given. Known: ${Object.keys(values).join(", ") || "none"}.`,
      );
    unused.delete(key);
    return value;
  });
  if (unused.size > 0)
    throw new Error(
      `The prompt ${name} does not use: ${[...unused].join(", ")}. Add {{...}} to it, or do not pass the value.`,
    );
  return text;
}

const loaded = new Map<string, string>();

function loadPrompt(file: string): string {
  const known = loaded.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(new URL(`./prompts/${file}`, import.meta.url), "utf8").trim();
  loaded.set(file, text);
  return text;
}
