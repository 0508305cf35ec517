// What may be uploaded, by category: an application names the kinds of files it takes and says what holds for each. A policy is
// judged before anything is signed; what of it the bucket can enforce (length, type, the key) is then signed, and what only the
// bytes can tell is judged once they are there.

import type { ContentFinding, CreateUploadRequest, UploadMeans } from '@stowage/contract';
import { type ContentOutcome, contentRules } from './content/content-rules.ts';
import { FilesError } from './files-error.ts';

export interface UploadPolicy {
  /** Types that are taken, `image/png` or `image/*`, by announcement and by the bytes. Default: all. */
  readonly types?: readonly string[];
  /** Endings of names that are taken, without the dot, in lower case. Default: all. */
  readonly extensions?: readonly string[];
  /** Default: the service's `maxFileSizeBytes`. */
  readonly maxSizeBytes?: number;
  /** Default 0. */
  readonly minSizeBytes?: number;
  /** What the whole name must match. Default: any name. */
  readonly namePattern?: RegExp;
  /**
   * `required`: nothing becomes ready unscanned, however long the scanner is away. `when-available`: a file waits for a scanner that
   * is away for `limits.scanHoldMs`, then becomes ready and is marked. `off`: not scanned. Default: `required` where the service
   * has a scanner, else `off`.
   */
  readonly scan?: 'required' | 'when-available' | 'off';
  /** Versions that are kept of one file beside the current one; older ones are purged. Default 10. */
  readonly keepVersions?: number;
  /** From when it is ready, a file cannot be purged for so long. Default 0. */
  readonly retentionMs?: number;
  /**
   * What follows from what is noticed about the bytes, by finding: `reject`, or `mark` and take. Default: as content-rules.ts says. A
   * program in disguise and what is no media though it was announced so are always refused.
   */
  readonly content?: Readonly<Partial<Record<ContentFinding, ContentOutcome>>>;
  /** Whether what cameras and programs write into images (place, device, author) is taken out before it is served. Default false. */
  readonly stripMetadata?: boolean;
  /** How files may be sent. Default: by all ways, of which the client's and the endpoint's best is chosen. */
  readonly strategies?: readonly UploadMeans[];
  /** Bytes that one user may hold in this category. Default: no limit but the tenant's. */
  readonly userQuotaBytes?: number;
}

/** By category. `default` holds where an announcement names none; it may be overridden like any other. */
export type UploadPolicies = Readonly<Record<string, UploadPolicy>>;

const defaultCategory = 'default';
const defaultKeepVersions = 10;
const categoryPattern = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** A policy with its defaults put in. */
export interface ChosenPolicy extends UploadPolicy {
  readonly category: string;
  readonly keepVersions: number;
  readonly minSizeBytes: number;
  readonly retentionMs: number;
  readonly stripMetadata: boolean;
}

export interface Policies {
  /** Throws `invalid-request` for a category that is not there. */
  choose(category: string | undefined): ChosenPolicy;
  /** That of a file that is there already: of a category that was taken out since, the default's. */
  of(category: string): ChosenPolicy;
}

/** Throws a `RangeError` that names what is wrong in a policy. */
export function openPolicies(policies: UploadPolicies = {}): Policies {
  const chosen = new Map(
    Object.entries({ [defaultCategory]: {}, ...policies }).map(([category, policy]) => [
      category,
      withDefaults(category, policy),
    ]),
  );
  const fallback = chosen.get(defaultCategory) ?? withDefaults(defaultCategory, {});
  return {
    choose: (category = defaultCategory) => {
      const policy = chosen.get(category);
      if (policy !== undefined) return policy;
      throw new FilesError('invalid-request', {
        detail: `There is no category ${JSON.stringify(category.slice(0, 40))}. There are: ${[...chosen.keys()].join(', ')}.`,
      });
    },
    of: (category) => chosen.get(category) ?? fallback,
  };
}

/** Throws `file-too-large`, `type-not-allowed` or `invalid-request`. */
export function requireAllowed(
  policy: ChosenPolicy,
  request: Pick<CreateUploadRequest, 'name' | 'sizeBytes'>,
  type: string,
): void {
  const { category, maxSizeBytes, minSizeBytes, namePattern } = policy;
  const { name, sizeBytes } = request;
  if (maxSizeBytes !== undefined && sizeBytes > maxSizeBytes) {
    throw new FilesError('file-too-large', {
      detail: `The file has ${sizeBytes} bytes; ${category} takes at most ${maxSizeBytes}.`,
    });
  }
  if (sizeBytes < minSizeBytes) {
    throw new FilesError('invalid-request', {
      detail: `The file has ${sizeBytes} bytes; ${category} takes no less than ${minSizeBytes}.`,
    });
  }
  if (namePattern !== undefined && !matchesWhole(namePattern, name)) {
    throw new FilesError('invalid-request', {
      detail: `The name is not one that ${category} takes (${namePattern.source}).`,
    });
  }
  if (!allowsExtension(policy, name)) {
    throw new FilesError('type-not-allowed', {
      detail: `${category} takes files that end in ${(policy.extensions ?? []).map((extension) => `.${extension}`).join(', ')}.`,
    });
  }
  if (!allowsType(policy, type)) {
    throw new FilesError('type-not-allowed', {
      detail: `The file was announced as ${type}; ${category} takes ${(policy.types ?? []).join(', ')}.`,
    });
  }
}

/** Whether files of this type are taken. */
export function allowsType({ types }: Pick<UploadPolicy, 'types'>, type: string): boolean {
  if (types === undefined) return true;
  return types.some((allowed) => (allowed.endsWith('/*') ? type.startsWith(allowed.slice(0, -1)) : type === allowed));
}

function allowsExtension({ extensions }: UploadPolicy, name: string): boolean {
  if (extensions === undefined) return true;
  const lower = name.toLowerCase();
  return extensions.some((extension) => lower.endsWith(`.${extension}`));
}

function matchesWhole(pattern: RegExp, name: string): boolean {
  const [match] = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).exec(name) ?? [];
  return match === name;
}

function withDefaults(category: string, policy: UploadPolicy): ChosenPolicy {
  if (!categoryPattern.test(category)) {
    throw new RangeError(`The category ${JSON.stringify(category)} must match ${categoryPattern.source}.`);
  }
  const { keepVersions = defaultKeepVersions, minSizeBytes = 0, retentionMs = 0, stripMetadata = false } = policy;
  const numbers = {
    keepVersions,
    minSizeBytes,
    retentionMs,
    maxSizeBytes: policy.maxSizeBytes,
    userQuotaBytes: policy.userQuotaBytes,
  };
  for (const [name, value] of Object.entries(numbers)) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) {
      throw new RangeError(`${name} of category ${category} is ${value}; it must be a whole number, 0 or more.`);
    }
  }
  const wrong = policy.types?.find((type) => !/^[\w.+-]+\/([\w.+-]+|\*)$/.test(type));
  if (wrong !== undefined)
    throw new RangeError(`A type of category ${category} is ${wrong}; write image/png or image/*.`);
  const ending = policy.extensions?.find(
    (extension) => extension.startsWith('.') || extension !== extension.toLowerCase(),
  );
  if (ending !== undefined) {
    throw new RangeError(
      `An extension of category ${category} is ${ending}; write it in lower case and without its dot.`,
    );
  }
  for (const [finding, outcome] of Object.entries(policy.content ?? {})) {
    const rule = Object.entries(contentRules).find(([name]) => name === finding)?.[1];
    if (rule?.choice === true && (outcome === 'reject' || outcome === 'mark')) continue;
    throw new RangeError(`content of category ${category} says ${outcome} for ${finding}; that cannot be chosen.`);
  }
  return { ...policy, category, keepVersions, minSizeBytes, retentionMs, stripMetadata };
}
