// What is wrong with a request that a schema refused, as sentences: where, what came, what was expected. What came is repeated only
// where it helps and harms nobody: shortened, with its control characters as codes, never a secret.

import { z } from 'zod';
import { expectationOf } from './expectation.ts';
import { nearestName } from './nearest-name.ts';
import { shownName } from './shown-name.ts';

type Issue = z.core.$ZodIssue;

export interface RequestFault {
  /** `body.folder.1`. */
  readonly path: string;
  /** `"abc" came; expected a number`, without a full stop. */
  readonly message: string;
}

interface RefusedRequest {
  readonly schema: z.ZodType;
  /** What came. */
  readonly value: unknown;
  readonly error: z.ZodError;
  readonly place: 'body' | 'query';
}

/** Of a query that takes no parameter. */
export const noQuerySchema: z.ZodType = z.strictObject({});

/** Fields whose value nobody is shown again, whatever it is. */
export const secretFields: ReadonlySet<string> = new Set(['password', 'current', 'token', 'code']);
const maxFaults = 100;
const maxShownCharacters = 80;

/** One for each fault, at most 100. */
export function requestFaults({ schema, value, error, place }: RefusedRequest): readonly RequestFault[] {
  const faults: RequestFault[] = [];
  for (const issue of error.issues.flatMap(likeliest)) {
    const left = maxFaults - faults.length;
    if (left === 0) break;
    const path = issue.path.map(String);
    if (issue.code !== 'unrecognized_keys') {
      faults.push({ path: pathOf(place, path), message: faultOf(issue, valueAt(value, issue.path)) });
      continue;
    }
    const known = namesAt(schema, issue.path);
    const what = place === 'body' ? 'field' : 'parameter';
    for (const key of issue.keys.slice(0, left)) {
      faults.push({ path: pathOf(place, [...path, key]), message: unknownName(key, known, what) });
    }
  }
  return faults;
}

/** Of the ways in which a value can be had, the one that it comes nearest to. */
function likeliest(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const count = (way: readonly Issue[]): number =>
    way.reduce((sum, each) => sum + (each.code === 'unrecognized_keys' ? each.keys.length : 1), 0);
  const [nearest] = [...issue.errors].sort((one, other) => count(one) - count(other));
  if (nearest === undefined) return [issue];
  return nearest.map((each): Issue => ({ ...each, path: [...issue.path, ...each.path] })).flatMap(likeliest);
}

function faultOf(issue: Issue, value: unknown): string {
  const expected = `expected ${expectationOf(issue)}`;
  const name = issue.path.at(-1);
  if (issue.code === 'invalid_key') return `the name ${shownText(String(name))} came; ${expected}`;
  const isSecret = typeof name === 'string' && secretFields.has(name);
  if (isSecret || name === undefined) return `${hiddenValue(value)} came; ${expected}`;
  return `${shownValue(value)} came; ${expected}`;
}

function unknownName(name: string, known: readonly string[], what: 'field' | 'parameter'): string {
  // A way that the value might have been meant in has it.
  if (known.includes(name)) return 'it does not go together with the others that came';
  const near = nearestName(name, known);
  return `there is no such ${what}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

/** The names that an object at this place of a schema may have. */
export function namesAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let places: readonly unknown[] = [describedBy(schema)];
  for (const key of path) {
    places = places.flatMap(waysOf).flatMap((place) => {
      const inside = propertiesOf(place)[String(key)] ?? place.additionalProperties ?? place.items;
      return inside === undefined ? [] : [inside];
    });
  }
  return [...new Set(places.flatMap(waysOf).flatMap((place) => Object.keys(propertiesOf(place))))];
}

/** Of a schema that was made once, so is what describes it: an answer to whoever sends nonsense should cost little. */
const described = new WeakMap<z.ZodType, unknown>();

function describedBy(schema: z.ZodType): unknown {
  const known = described.get(schema) ?? z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  described.set(schema, known);
  return known;
}

function waysOf(place: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!isRecord(place)) return [];
  return Array.isArray(place.anyOf) ? place.anyOf.flatMap(waysOf) : [place];
}

function propertiesOf(place: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return isRecord(place.properties) ? place.properties : {};
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (part, key) =>
      typeof part === 'object' && part !== null && Object.hasOwn(part, key) ? Reflect.get(part, key) : undefined,
    value,
  );
}

function pathOf(place: string, path: readonly string[]): string {
  return [place, ...path.map((name) => shownName(shorten(name.toWellFormed())))].join('.');
}

function shownValue(value: unknown): string {
  if (typeof value === 'string') return shownText(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : hiddenValue(value);
}

function shownText(text: string): string {
  // Of an address, what follows may hold a key of whom it belongs to.
  const scheme = /^[a-z][a-z0-9+.-]{0,20}:\/\//i.exec(text)?.[0];
  const plain = scheme === undefined || scheme === text ? text : `${scheme}…`;
  const length = text.length > maxShownCharacters ? ` (${text.length} characters)` : '';
  return `${shownName(JSON.stringify(shorten(plain)))}${length}`;
}

function shorten(text: string): string {
  return text.length > maxShownCharacters ? `${text.slice(0, maxShownCharacters)}…` : text;
}

/** What kind of thing a value is, and not what it says. */
export function hiddenValue(value: unknown): string {
  if (typeof value === 'string') return `${value.length} character${value.length === 1 ? '' : 's'}`;
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return value === null ? 'null' : `a${typeof value === 'object' ? 'n' : ''} ${typeof value}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
