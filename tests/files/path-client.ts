// What a client does, by plain fetch: requests by method and path, as they come from somebody who has no table of routes.

import assert from 'node:assert/strict';
import type { FileEntry, Problem, SignedPartList, Upload } from '@stowage/contract';
import type { FileService } from '@stowage/files';
import { requireDocumented } from './documented-answers.ts';

/** The origin of the fixture's service, which is asked without a network. */
const origin = 'http://files.test';

export class PathClient {
  readonly service: FileService;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(service: FileService, headers: Readonly<Record<string, string>>) {
    this.service = service;
    this.#headers = headers;
  }

  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const request = new Request(`${origin}${path}`, {
      method,
      headers: {
        ...this.#headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const response = await this.service.fetch(request);
    await requireDocumented(request, response);
    return response;
  }

  /** The parsed body of an answer that must have this status. */
  async ask<Answer>(status: number, method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await this.request(method, path, body);
    const text = await response.text();
    assert.equal(response.status, status, `${method} ${path}: ${text}`);
    // The service's own schema says what is in it; the contract's tests hold it to that.
    return (text === '' ? undefined : JSON.parse(text)) as Answer;
  }

  async refused(code: Problem['code'], method: string, path: string, body?: unknown): Promise<Problem> {
    const response = await this.request(method, path, body);
    const problem = (await response.json()) as Problem;
    assert.equal(problem.code, code, JSON.stringify(problem));
    assert.equal(response.status, problem.status);
    return problem;
  }

  create(name: string, bytes: Uint8Array, contentType = 'application/octet-stream'): Promise<Upload> {
    return this.ask(201, 'POST', '/v1/uploads', { name, sizeBytes: bytes.byteLength, contentType });
  }

  upload(id: string): Promise<Upload> {
    return this.ask(200, 'GET', `/v1/uploads/${id}`);
  }

  complete(id: string): Promise<Upload> {
    return this.ask(200, 'POST', `/v1/uploads/${id}/complete`);
  }

  file(id: string): Promise<FileEntry> {
    return this.ask(200, 'GET', `/v1/files/${id}`);
  }

  /** Sends the bytes the way the upload says, without completing. */
  async send(upload: Upload, bytes: Uint8Array): Promise<void> {
    if (upload.strategy === 'put') {
      assert.ok(upload.request, 'an upload by PUT comes with its request');
      const { method, url, headers } = upload.request;
      const response = await fetch(url, { method, headers, body: new Uint8Array(bytes) });
      assert.equal(response.status, 200, await response.text());
      return;
    }
    const numbers = Array.from({ length: upload.partCount ?? 0 }, (_, index) => index + 1);
    await this.sendParts(upload, bytes, numbers);
  }

  async sendParts(upload: Upload, bytes: Uint8Array, partNumbers: readonly number[]): Promise<void> {
    const partSizeBytes = upload.partSizeBytes ?? 0;
    const path = `/v1/uploads/${upload.id}/parts/sign`;
    const { parts } = await this.ask<SignedPartList>(200, 'POST', path, { partNumbers });
    for (const { partNumber, method, url, headers } of parts) {
      const body = new Uint8Array(bytes.subarray((partNumber - 1) * partSizeBytes, partNumber * partSizeBytes));
      const response = await fetch(url, { method, headers, body });
      assert.equal(response.status, 200, await response.text());
    }
  }

  /** The whole way to rest: ready, or refused. */
  async store(name: string, bytes: Uint8Array, contentType?: string): Promise<FileEntry> {
    const upload = await this.create(name, bytes, contentType);
    await this.send(upload, bytes);
    await this.complete(upload.id);
    await this.service.tick();
    return this.file(upload.id);
  }

  /** The signed URL that a path redirects to. */
  async redirect(path: string): Promise<string> {
    const response = await this.request('GET', path);
    assert.equal(response.status, 302, await response.text());
    return response.headers.get('location') ?? '';
  }
}
