// Holds what the service answers against its OpenAPI document, as somebody would who has nothing else.

import assert from 'node:assert/strict';
import { openApiDocument, type RouteName, routes } from '@stowage/contract';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { routeOf } from './documented-answers.ts';

interface Operation {
  readonly operationId: RouteName;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: object;
  readonly responses: Readonly<
    Record<
      string,
      { readonly content?: Readonly<Record<string, { readonly schema: object }>>; readonly headers?: object }
    >
  >;
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** Holds answers against the document: status, headers, type and body, of a problem its code too. Remembers which routes succeeded. */
export class DocumentJudge {
  readonly succeeded = new Set<RouteName>();
  readonly #document: OpenApiDocument;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    this.#document = document;
    // The package is CommonJS: its default export is the module's `default`.
    addFormats.default(this.#ajv);
  }

  async judge(request: Pick<Request, 'method' | 'url'>, response: Response): Promise<void> {
    const operation = this.#find(request);
    const what = `${operation.operationId} answered ${response.status}`;
    const told = operation.responses[String(response.status)];
    assert.ok(told, `${what}, which the document does not know: ${await response.clone().text()}`);
    if (response.status < 400) this.succeeded.add(operation.operationId);
    for (const name of Object.keys(told.headers ?? {}))
      assert.ok(response.headers.has(name), `${what} without ${name}`);
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    if (told.content === undefined) {
      assert.equal(await response.clone().text(), '', what);
      return;
    }
    const content = told.content[type];
    assert.ok(content, `${what} as ${type}`);
    if (!type.endsWith('json')) return;
    const body: unknown = await response.clone().json();
    const validate = this.#validator(content.schema);
    assert.ok(validate(body), `${what}: ${this.#ajv.errorsText(validate.errors)}\n${JSON.stringify(body)}`);
  }

  #find(request: Pick<Request, 'method' | 'url'>): Operation {
    const name = routeOf(request);
    const found =
      name === undefined ? undefined : this.#document.paths[routes[name].path]?.[routes[name].method.toLowerCase()];
    assert.ok(found, `${request.method} ${request.url} is not in the document`);
    return found;
  }

  #validator(schema: object): ValidateFunction {
    // Many routes answer alike, and compiling takes its time.
    const text = JSON.stringify(schema);
    const known = this.#validators.get(text);
    if (known !== undefined) return known;
    // References lead into the document's components.
    const made = this.#ajv.compile({ ...schema, components: this.#document.components });
    this.#validators.set(text, made);
    return made;
  }
}

/** As it is sent. */
export function readDocument(): OpenApiDocument {
  return JSON.parse(JSON.stringify(openApiDocument())) as OpenApiDocument; // made by our own function
}
