// What the server is asked and answers.

/** A refusal, with the server's code where it gives one. */
export class Refusal extends Error {
  constructor(status, { code, message } = {}) {
    super(code ? `${code}: ${message}` : message ?? `The server answered with status ${status}.`);
    this.status = status;
  }
}

async function send(path, key, init = {}) {
  const headers = { ...init.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  let response;
  try {
    response = await fetch(path, { ...init, headers, cache: 'no-store' });
  } catch (error) {
    throw error.name === 'AbortError' ? error : new Error('The server cannot be reached, or has ended the connection.');
  }
  if (!response.ok) {
    throw new Refusal(response.status, (await response.json().catch(() => ({}))).error);
  }
  return response;
}

/** The name of the model that the server has. */
export async function modelName(key) {
  return (await (await send('v1/models', key)).json()).data[0].id;
}

/** The pieces of an answer, as they come. */
export async function* answer(model, messages, key, signal) {
  const body = JSON.stringify({ model, messages, stream: true, stream_options: { include_usage: true } });
  const response = await send('v1/chat/completions', key, { method: 'POST', body, signal, headers: { 'Content-Type': 'application/json' } });
  let rest = '';
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      throw new Error('The connection ended before the answer did.');
    }
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines.filter(line => line.startsWith('data: '))) {
      const data = line.slice('data: '.length);
      if (data === '[DONE]') {
        return;
      }
      const piece = JSON.parse(data);
      if (piece.error) {
        throw new Refusal(response.status, piece.error);
      }
      yield piece;
    }
  }
}
