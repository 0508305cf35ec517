// Holds what was observed against what was predicted: one request alone, or two at the same time, which must come out as if one had
// come before the other.

import type { BoundCommand, Request } from './bound-command.ts';
import { bytesOf, emptyModel, type Model, type ModelBytes, type ModelFile } from './model-state.ts';
import type { Observation } from './observe.ts';
import type { Answer } from './perform.ts';
import { type Outcome, predict, type SendFacts } from './predict.ts';

export interface Done {
  readonly request: Request;
  readonly answer: Answer;
}

type FirstRequests = ReadonlyMap<string, SendFacts>;

/** The models that explain all answers and rows; none: nothing does. Without the rows, which are the observed ones. */
export function explain(
  model: Model,
  done: readonly Done[],
  seen: Observation,
  first: FirstRequests,
): readonly Model[] {
  const [one, other] = done;
  if (one === undefined) return [];
  const orders =
    other === undefined
      ? [[one]]
      : [
          [one, other],
          [other, one],
        ];
  return orders
    .flatMap((order) => play(model, order, done.length > 1 ? { begun: model, mayGiveWay: true } : undefined, first))
    .filter((played) => fits(played, seen));
}

interface Race {
  /** The model that both found. */
  readonly begun: Model;
  /** Whether nobody gave way yet: if both did, nobody would have been first. */
  readonly mayGiveWay: boolean;
}

/** Every model that the answers in this order may lead to. */
function play(model: Model, order: readonly Done[], race: Race | undefined, first: FirstRequests): readonly Model[] {
  const [next, ...rest] = order;
  if (next === undefined) return [model];
  const { request, answer } = next;
  const follow = (outcomes: readonly Outcome[], after: Race | undefined): readonly Model[] =>
    outcomes
      .filter(({ status }) => status === answer.status)
      .flatMap((outcome) => play(apply(model, outcome), rest, after, first));
  if (race === undefined) return follow(predict(model, request, first), race);
  const done = [...predict(model, request, first), ...predict(model, request, first, race.begun)];
  const told = race.mayGiveWay ? givenWay(model, request) : [];
  return [...follow(done, race), ...follow(told, { ...race, mayGiveWay: false })];
}

/** Of two at once, one may be told to come again, having changed nothing but how far the joining of parts had come. */
function givenWay(model: Model, request: Request): readonly Outcome[] {
  const told = (status: number, changes: Outcome['changes'] = new Map()): Outcome => ({
    status,
    changes,
    creates: [],
    effect: () => undefined,
  });
  const ways = [told(409), told(503)];
  // A part whose URL was signed before the parts were joined, and which came after, finds no upload.
  if (request.kind === 'send' && request.file.strategy === 'multipart') return [...ways, told(404)];
  if (request.kind !== 'complete' || request.file.strategy !== 'multipart') return ways;
  if (model.files.get(request.file.id)?.state !== 'pending') return ways;
  const apart = new Map([[request.file.id, { state: 'uploading' as const }]]);
  return [...ways, told(409, apart), told(503, apart)];
}

function apply(model: Model, outcome: Outcome): Model {
  const after = clone(model);
  for (const [id, change] of outcome.changes) {
    const file = after.files.get(id);
    if (file === undefined) throw new Error(`A prediction speaks of file ${id}, which nobody knows.`);
    const { moves = false, ...changed } = change;
    after.files.set(id, { ...file, ...changed, ...(moves ? { folderId: anywhere } : {}) });
  }
  for (const { versionOf, copiedFrom, ...created } of outcome.creates) {
    const id = `new-${after.files.size}`;
    const role = versionOf === undefined ? 'current' : 'version';
    after.files.set(id, { ...unseen, id, ...created, lineId: versionOf ?? id, role, copiedFrom: copiedFrom ?? null });
  }
  outcome.effect(after);
  return after;
}

/** A folder that a prediction leaves open. */
const anywhere = '*';

/** A row that is there only in a prediction. */
const unseen: ModelFile = {
  id: '',
  lineId: '',
  role: 'current',
  versionNumber: 1,
  name: '',
  folderId: anywhere,
  sizeBytes: 0,
  category: 'default',
  strategy: 'put',
  sealedBy: '',
  copiedFrom: null,
  partCount: 0,
  announcedAlgorithm: null,
  announcedValue: null,
  objectKey: '',
  arrivalKey: '',
  multipartUploadId: null,
  state: 'pending',
  fence: 1,
  reviewAtMs: null,
  expiresAtMs: 0,
  signedUntilMs: 0,
  scanningSinceMs: null,
  retainUntilMs: null,
  wasStored: false,
  jobs: {},
};

function fits(played: Model, seen: Observation): boolean {
  return difference(played, seen) === undefined;
}

/** In which row they differ, in words. */
function difference(played: Model, seen: Observation): string | undefined {
  const expectedNew: string[] = [];
  for (const file of played.files.values()) {
    const row = seen.files.get(file.id);
    if (row === undefined) {
      if (!file.id.startsWith('new-')) return `File ${file.id} is gone.`;
      expectedNew.push(describeNew(file));
      continue;
    }
    for (const column of ['state', 'role', 'name', 'lineId', 'folderId'] as const) {
      if (column === 'folderId' && file.folderId === anywhere) continue;
      if (row[column] !== file[column]) return `${column} of file ${file.id} is ${row[column]}, not ${file[column]}.`;
    }
  }
  const foundNew = [...seen.files.values()].filter(({ id }) => !played.files.has(id)).map(describeNew);
  const expected = expectedNew.sort().join('; ');
  const found = foundNew.sort().join('; ');
  return expected === found ? undefined : `New files are ${found || 'none'}, not ${expected || 'none'}.`;
}

function describeNew({ state, role, name, folderId, lineId, copiedFrom }: ModelFile): string {
  return `${state} ${role} ${name} in ${folderId} ${role === 'version' ? lineId : ''} ${copiedFrom ?? ''}`;
}

/** What would have been right, for the report. */
export function expectation(model: Model, { request, answer }: Done, seen: Observation, first: FirstRequests): string {
  const outcomes = predict(model, request, first);
  const words = outcomes.map((outcome) => {
    const rows = difference(apply(model, outcome), seen) ?? 'rows as they are';
    return `${outcome.status} with ${rows}`;
  });
  return `${describe(request)} answered ${answer.status}; right would be ${words.join(', or ')}. ${answer.detail}`;
}

export function describe(command: BoundCommand): string {
  const { kind } = command;
  if ('file' in command) {
    const { id, lineId, state, strategy, role } = command.file;
    return `${kind} ${id}${lineId === id ? '' : ` of ${lineId}`} (${strategy}, ${state}, ${role})`;
  }
  if (kind === 'create') return `create ${JSON.stringify(command.body)} ${command.idempotencyKey ?? ''}`;
  const { instance: _instance, ...rest } = command;
  return JSON.stringify(rest);
}

/** A model that can be changed without the other. */
function clone(model: Model): Model {
  const copy: Model = {
    ...emptyModel(model.nowMs),
    ...model,
    files: new Map(model.files),
    bytes: new Map(),
    shares: model.shares.map((share) => ({ ...share })),
    announcements: [...model.announcements],
  };
  for (const [id, bytes] of model.bytes) copy.bytes.set(id, { ...bytes, parts: new Map(bytes.parts) });
  return copy;
}

/** What all explanations together say of the bytes: after a race, several can be right. */
export function adoptExplained(model: Model, explained: readonly Model[]): void {
  const [chosen] = explained;
  if (chosen === undefined) return;
  model.shares.splice(0, model.shares.length, ...chosen.shares);
  model.announcements.splice(0, model.announcements.length, ...chosen.announcements);
  for (const [id, bytes] of chosen.bytes) {
    const all = explained.map((other) => bytesOf(other, { id }));
    const union = (read: (bytes: ModelBytes) => readonly string[]): readonly string[] => [
      ...new Set(all.flatMap(read)),
    ];
    const parts = new Map(
      [...bytes.parts.keys()].map((number) => [number, union((other) => other.parts.get(number) ?? [])]),
    );
    model.bytes.set(id, {
      ...bytes,
      arrived: union(({ arrived }) => arrived),
      content: union(({ content }) => content),
      parts,
    });
  }
}
