// The conversation.
import { answer, modelName, Refusal } from './wire.js';
import { photograph, picture, record, sound } from './media.js';

const at = Object.fromEntries([...document.querySelectorAll('[id]')].map(element => [element.id, element]));
const messages = []; // as the server is sent them
let attached = [];
let model = null;
let asking = null; // the AbortController of the answer in progress
let endRecording = null;

function add(parent, tag, text = '', className = '') {
  const element = document.createElement(tag);
  element.textContent = text; // never markup: models and files say what they like
  element.className = className;
  return parent.appendChild(element);
}

function medium(parent, { tag, url }) {
  const element = add(parent, tag);
  element.src = url;
  if (tag === 'img') {
    element.alt = 'Attached picture';
  } else {
    element.controls = true;
    element.setAttribute('aria-label', 'Attached sound');
  }
}

function fail(error) {
  if (error instanceof Refusal && error.status === 401) {
    at['key-field'].hidden = false;
    at.key.focus();
    if (!at.key.value) {
      at.status.textContent = 'This server asks for a key.';
      return;
    }
  }
  at.error.textContent = error.message || error.name;
  at.error.hidden = false;
}

function calm() {
  at.error.hidden = true;
  at.error.textContent = at.status.textContent = '';
}

async function attempt(work) {
  calm();
  try {
    return await work();
  } catch (error) {
    fail(error);
    return null;
  }
}

/** Work of a button that is not begun twice. */
async function alone(button, work) {
  button.disabled = true;
  await attempt(work);
  button.disabled = false;
  button.focus();
}

function show() {
  at.attached.replaceChildren();
  for (const one of attached) {
    const item = add(at.attached, 'li');
    medium(item, one);
    const remove = add(item, 'button', 'Remove');
    remove.type = 'button';
    remove.setAttribute('aria-label', one.tag === 'img' ? 'Remove picture' : 'Remove sound');
    remove.onclick = () => {
      attached = attached.filter(other => other !== one);
      show();
      at.text.focus();
    };
  }
}

function attach(one) {
  if (one) {
    attached.push(one);
    show();
    at.status.textContent = one.tag === 'img' ? 'Picture attached.' : 'Sound attached.';
  }
}

function turn(who, className) {
  const item = add(at.conversation, 'li', '', className);
  add(item, 'h2', who);
  return item;
}

function busy(controller) {
  asking = controller;
  at.send.hidden = at.new.disabled = controller !== null;
  at.stop.hidden = controller === null;
  at.conversation.setAttribute('aria-busy', `${controller !== null}`); // read out once whole
}

async function ask() {
  const text = at.text.value;
  if (asking || !(text.trim() || attached.length)) {
    return;
  }
  calm();
  busy(new AbortController());
  const sent = attached;
  const question = turn('You', 'user');
  sent.forEach(one => medium(question, one));
  add(question, 'p', text, 'text');
  messages.push({ role: 'user', content: [...sent.map(one => one.part), ...(text.trim() ? [{ type: 'text', text }] : [])] });
  at.text.value = '';
  attached = [];
  show();
  let reply = null;
  let said = '';
  try {
    await know();
    reply = turn(model, 'assistant');
    const paragraph = add(reply, 'p', '', 'text');
    const facts = add(reply, 'p', '…', 'facts');
    let reason = null;
    let usage = null;
    at.conversation.scrollTop = at.conversation.scrollHeight;
    try {
      for await (const piece of answer(model, messages, at.key.value, asking.signal)) {
        const choice = piece.choices[0];
        const follows = at.conversation.scrollTop + at.conversation.clientHeight > at.conversation.scrollHeight - 40;
        said += choice?.delta.content ?? '';
        paragraph.textContent = said;
        reason = choice?.finish_reason ?? reason;
        usage = piece.usage ?? usage;
        if (follows) {
          at.conversation.scrollTop = at.conversation.scrollHeight;
        }
      }
      facts.textContent = `Ended by ${reason}. ${usage.completion_tokens} tokens; prompt ${usage.prompt_tokens}, of them ${usage.prompt_tokens_details.cached_tokens} evaluated before.`;
    } catch (error) {
      facts.textContent = error.name === 'AbortError' ? 'Stopped.' : 'Broken off.';
      throw error;
    }
  } catch (error) {
    if (!said) { // as if it had not been asked: all is back in its place
      messages.pop();
      question.remove();
      reply?.remove();
      at.text.value ||= text;
      attached = [...sent, ...attached];
      show();
    }
    if (error.name !== 'AbortError') {
      fail(error);
    }
  } finally {
    if (said) {
      messages.push({ role: 'assistant', content: said });
    } else if (messages.at(-1)?.role === 'user') {
      messages.push({ role: 'assistant', content: '' }); // an answer of no words is one
    }
    busy(null);
    if (document.activeElement === document.body) {
      at.text.focus();
    }
  }
}

async function know() {
  if (!model) {
    model = await modelName(at.key.value);
    at.model.textContent = document.title = model;
  }
}

at.form.onsubmit = event => {
  event.preventDefault();
  ask();
};
at.text.onkeydown = event => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    at.form.requestSubmit();
  }
};
at.stop.onclick = () => asking?.abort();
at.new.onclick = () => {
  messages.length = 0;
  attached = [];
  at.conversation.replaceChildren();
  show();
  calm();
  at.text.focus();
};
for (const [input, read] of [[at.picture, picture], [at.sound, sound]]) {
  input.onchange = () => attempt(async () => {
    const files = [...input.files];
    input.value = '';
    for (const file of files) {
      attach(await read(file).catch(() => { throw new Error(`The browser cannot read ${file.name}.`); }));
    }
  });
}
at.camera.onclick = () => alone(at.camera, async () => attach(await photograph(at.viewfinder, at.video, at.take, at.cancel)));
at.microphone.onclick = () => alone(at.microphone, async () => {
  const end = endRecording;
  endRecording = end ? null : await record();
  at.microphone.setAttribute('aria-pressed', `${!end}`);
  at.microphone.textContent = end ? 'Record' : 'End recording';
  if (end) {
    attach(await end());
  } else {
    at.status.textContent = 'Recording.';
  }
});
if (!navigator.mediaDevices) { // browsers give them to HTTPS and this machine alone
  at.camera.hidden = at.microphone.hidden = true;
}
attempt(know);
