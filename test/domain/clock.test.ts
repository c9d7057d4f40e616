import { expect, it } from "vitest";
import { wrongClock } from "../../domain/clock.ts";

it.each([
  ["agrees", 0, null],
  ["is half a minute off, as an answer may be under way for as long", -30_000, null],
  ["is ten minutes ahead", -600_000, "the clock is 600 s ahead of GitHub's"],
  ["is ten minutes behind", 600_400, "the clock is 600 s behind GitHub's"],
])("A clock that %s is told of as it should be", (_, skewMs, told) => {
  const wrong = wrongClock(skewMs);
  if (told === null) expect(wrong).toBeNull();
  else expect(wrong).toContain(told);
});
