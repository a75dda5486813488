/* Elements are looked up each time: Back replaces all children of <body>, so listeners are on `document`. */
export const find = (selector) => document.querySelector(selector);
export const on = (type, handler, capture = false) => document.addEventListener(type, handler, capture);
