"""Everything that the line says, in both languages: the catalogue that `speech.py` makes sound of.

An operator's own recording of a key replaces it. A test fails where a language is missing, where a key is not used, and
where one is used that is not here. Tones are arithmetic.
"""

from collections.abc import Mapping
from typing import Final

from guardia.doors.voice.prompts_numbers import NUMBERS
from guardia.doors.voice.script import Language

TONES: Final[Mapping[str, tuple[tuple[int, int], ...]]] = {
    "tone.record": ((0, 150), (1000, 350), (0, 100)),
    "tone.waiting": ((440, 220), (0, 60), (554, 220), (0, 60), (659, 320)),
}
"""Tones by key: hertz (0 is silence) and milliseconds, one after the other."""


def _both(es: str, en: str) -> Mapping[Language, str]:
    return {"es": es, "en": en}


_KNOWING: Mapping[str, Mapping[Language, str]] = {
    "greeting.welcome": _both(
        "Bienvenido a la línea telefónica prioritaria de soporte.", "Welcome to the priority support line."
    ),
    "greeting.language": _both("Para español, pulse 1.", "For English, press 2."),
    "identify.menu": _both(
        "Si tiene número de contrato y PIN, pulse 1. Si el portal le ha mostrado un código de un solo uso para una "
        "solicitud, pulse 2. Para hablar con una persona, pulse 0. Para repetir, pulse 9. En todo momento, asterisco "
        "vuelve un paso atrás.",
        "If you have a contract number and a PIN, press 1. If the portal showed you a one-time case code, press 2. "
        "To speak to a person, press 0. To repeat, press 9. At any time, star goes back one step.",
    ),
    "identify.contract": _both(
        "Marque solo las cifras de su número de contrato y, al final, almohadilla.",
        "Key in only the digits of your contract number, and then the hash key.",
    ),
    "identify.pin": _both("Marque las seis cifras de su PIN.", "Key in the six digits of your PIN."),
    "identify.number": _both(
        "Marque las ocho cifras del número de la solicitud.", "Key in the eight digits of the case number."
    ),
    "identify.code": _both(
        "Marque las seis cifras del código de un solo uso.", "Key in the six digits of the one-time code."
    ),
    "identify.wrong": _both(
        "Los datos no coinciden. Inténtelo de nuevo.", "Those details do not match. Please try again."
    ),
    "identify.too_many": _both(
        "Los datos no coinciden. Le pasamos con una persona.",
        "Those details do not match. We are putting you through to a person.",
    ),
    "identify.closed": _both(
        "Ha habido demasiados intentos fallidos y, por seguridad, no se admite ninguno durante un rato. Le pasamos con "
        "una persona.",
        "There were too many wrong tries, and for safety none is taken for a while. We are putting you through to a "
        "person.",
    ),
    "refusal.not_named": _both(
        "Su empresa tiene un contrato en vigor, pero usted no figura como contacto autorizado para la línea "
        "telefónica. El administrador de la cuenta de su empresa puede autorizarle en el portal. El portal y el correo "
        "están abiertos a cualquier hora.",
        "Your company has a contract in force, but you are not one of its named contacts for the phone line. Your "
        "company's administrator can name you in the portal. The portal and email are open at any hour.",
    ),
    "refusal.expired": _both(
        "El contrato de su empresa ha vencido. Para renovarlo, diríjase a su gestor de cuenta. El portal y el correo "
        "siguen abiertos a cualquier hora.",
        "Your company's contract has expired. To renew it, please turn to your account manager. The portal and email "
        "stay open at any hour.",
    ),
    "refusal.no_contract": _both(
        "Su empresa no tiene un contrato que incluya esta línea. El portal y el correo están abiertos a cualquier "
        "hora.",
        "Your company has no contract that includes this line. The portal and email are open at any hour.",
    ),
    "refusal.no_phone": _both(
        "El contrato de su empresa no incluye la línea telefónica prioritaria. El portal y el correo están abiertos a "
        "cualquier hora.",
        "Your company's contract does not include the priority phone line. The portal and email are open at any hour.",
    ),
    "refusal.menu": _both("Para dejar un mensaje, pulse 1.", "To leave a message, press 1."),
}

_MENUS: Mapping[str, Mapping[Language, str]] = {
    "menu.reminder": _both("No hemos recibido ninguna tecla.", "We have not received a key."),
    "menu.no_such_key": _both("Esa tecla no es una opción.", "That key is not one of the choices."),
    "digits.reminder": _both("No hemos recibido ninguna cifra.", "We have not received any digits."),
    "digits.too_few": _both("Faltan cifras.", "Some digits are missing."),
    "silent.person": _both("Le pasamos con una persona.", "We are putting you through to a person."),
    "call.goodbye": _both("Gracias por llamar. Adiós.", "Thank you for calling. Goodbye."),
    "purposes.menu": _both(
        "Para confirmar por teléfono una solicitud, pulse 1. Para abrir una solicitud nueva, pulse 2. Para oír el "
        "estado de una solicitud, pulse 3. Si no puede entrar en su cuenta y quiere confirmar que un correo es suyo, "
        "pulse 4. Para dejar un mensaje, pulse 5. Para hablar con una persona, pulse 0. Para repetir, pulse 9.",
        "To confirm a case by phone, press 1. To open a new case, press 2. To hear the state of a case, press 3. If "
        "you are locked out of your account and want to confirm that an email is yours, press 4. To leave a message, "
        "press 5. To speak to a person, press 0. To repeat, press 9.",
    ),
    "code.menu": _both(
        "Para confirmar esta solicitud, pulse 1. Para oír su estado, pulse 2. Para dejar un mensaje, pulse 3. Para "
        "hablar con una persona, pulse 0.",
        "To confirm this case, press 1. To hear its state, press 2. To leave a message, press 3. To speak to a "
        "person, press 0.",
    ),
    "choose.press": _both("Para esta, pulse", "For this one, press"),
    "choose.other": _both("Para marcar otro número de solicitud, pulse", "To key in another case number, press"),
}

_CASES: Mapping[str, Mapping[Language, str]] = {
    "case.number": _both("Solicitud", "Case"),
    "case.type_number": _both(
        "Marque las ocho cifras del número de la solicitud, o asterisco para volver.",
        "Key in the eight digits of the case number, or star to go back.",
    ),
    "case.none_such": _both("No hay ninguna solicitud suya con ese número.", "You have no case of that number."),
    "case.none_open": _both("No hay ninguna solicitud abierta de su empresa.", "Your company has no open case."),
    "severity.1": _both("Nivel de gravedad uno, crítico.", "Severity level one, critical."),
    "severity.2": _both("Nivel de gravedad dos, alto.", "Severity level two, high."),
    "severity.3": _both("Nivel de gravedad tres, medio.", "Severity level three, medium."),
    "severity.4": _both("Nivel de gravedad cuatro, bajo.", "Severity level four, low."),
    "state.submitted": _both("Está recibida.", "It has been received."),
    "state.triaged": _both("Está clasificada.", "It has been triaged."),
    "state.in_progress": _both("Se está trabajando en ella.", "It is being worked on."),
    "state.waiting_customer": _both("Espera una respuesta de ustedes.", "It is waiting for an answer from you."),
    "state.with_lab": _both("Está en el laboratorio.", "It is with the lab."),
    "state.solution_offered": _both("Se ha propuesto una solución.", "A solution has been offered."),
    "state.closed": _both("Está cerrada.", "It is closed."),
    "state.reopened": _both("Se ha vuelto a abrir.", "It has been reopened."),
    "state.rejected": _both("Fue rechazada; el motivo está en el portal.", "It was rejected; the portal says why."),
    "state.held": _both("Un ingeniero se ocupa de ella.", "An engineer has it."),
    "state.not_held": _both("Todavía no la tiene ningún ingeniero.", "No engineer has it yet."),
    "state.answered": _both("Ya tiene una respuesta cualificada.", "It has had a qualified answer."),
    "state.not_answered": _both("Aún no tiene respuesta cualificada.", "It has had no qualified answer yet."),
    "state.needs_call": _both(
        "Falta la confirmación por teléfono: puede hacerla en esta llamada.",
        "Its confirmation by phone is missing: you can give it in this call.",
    ),
    "clock.until": _both("El plazo de respuesta termina el", "Its response time runs until"),
    "clock.none": _both("Ahora no corre ningún plazo de respuesta.", "No response time is running now."),
    "refused.closed": _both("La solicitud está cerrada.", "The case is closed."),
    "refused.settled": _both("Eso ya está resuelto.", "That has already been settled."),
    "refused.not_entitled": _both("El contrato no lo incluye.", "The contract does not include that."),
    "refused.no_premium_left": _both(
        "No quedan incidentes premium en el contrato.", "No premium incident is left in the contract."
    ),
    "refused.other": _both(
        "Eso no se puede hacer por teléfono. Use el portal o hable con una persona.",
        "That cannot be done by phone. Please use the portal, or speak to a person.",
    ),
}

_DOING: Mapping[str, Mapping[Language, str]] = {
    "confirm.one": _both(
        "Para confirmarla, pulse 1. Para marcar otro número, pulse 2.",
        "To confirm it, press 1. To key in another number, press 2.",
    ),
    "confirm.this": _both("Para confirmarla, pulse 1.", "To confirm it, press 1."),
    "confirm.none_waits": _both(
        "Ninguna solicitud suya espera una confirmación por teléfono.", "No case of yours waits for a confirmation."
    ),
    "confirm.opened": _both(
        "Confirmada. El reloj de respuesta corre desde este momento, también fuera del horario laboral.",
        "Confirmed. The response clock runs from this moment, outside working hours too.",
    ),
    "confirm.done": _both("Su llamada queda registrada.", "Your call has been registered."),
    "confirm.already": _both(
        "Esta solicitud ya estaba confirmada por teléfono.", "This case had already been confirmed by phone."
    ),
    "confirm.paged": _both("Se está avisando al ingeniero de guardia.", "The engineer on duty is being paged."),
    "connect.stay": _both(
        "No cuelgue y le pondremos con un ingeniero, o cuelgue si no lo necesita. Asterisco vuelve al menú.",
        "Stay on the line to be connected to an engineer, or hang up. Star goes back to the menu.",
    ),
    "connect.now": _both(
        "No cuelgue: ya suena el teléfono del ingeniero de guardia.",
        "Stay on the line: the phone of the engineer on duty is ringing now.",
    ),
    "open.severity": _both(
        "Pulse 1 si su actividad está interrumpida, hay sistemas caídos o se han perdido datos: nivel crítico. Pulse 2 "
        "si hay funciones afectadas, pero sin caídas ni pérdida de datos: nivel alto. Pulse 3 si no es crítico o "
        "afecta al producto solo en parte: nivel medio. Pulse 4 si es menor o una consulta: nivel bajo.",
        "Press 1 if your business is interrupted, systems are down or data is lost: critical. Press 2 if functions "
        "are affected, with no crash and no loss of data: high. Press 3 if it is not critical, or partly affects the "
        "product: medium. Press 4 if it is minor, or a question: low.",
    ),
    "open.describe": _both(
        "Tras la señal, describa lo que ocurre y en qué equipos.",
        "After the tone, describe what happens and on which machines.",
    ),
    "open.nothing_heard": _both(
        "No hemos oído nada. Le pasamos con una persona.",
        "We could not hear anything. We are putting you through to a person.",
    ),
    "open.number": _both("La solicitud está abierta. Su número es", "Your case is open. Its number is"),
    "open.again": _both("Repetimos:", "Once more:"),
    "open.mailed": _both("También se lo enviamos por correo.", "It was mailed to you too."),
    "open.fell_to_standard": _both(
        "No quedaba ningún incidente premium en su contrato. La solicitud está aceptada, y acordaremos con usted cómo "
        "se atiende.",
        "No premium incident was left in your contract. The case is accepted, and we will settle with you how it is "
        "served.",
    ),
    "mail.none": _both("Ningún correo espera su confirmación.", "No email is waiting for your confirmation."),
    "mail.waits": _both("Espera un correo recibido el", "An email is waiting that arrived on"),
    "mail.menu": _both(
        "Pulse 1 si lo escribió usted. Pulse 2 si no.", "Press 1 if you wrote it. Press 2 if you did not."
    ),
    "mail.own": _both("Gracias. El correo se tramita como suyo.", "Thank you. The email is taken as yours."),
    "mail.not_own": _both("Gracias. Ese correo no se tramitará.", "Thank you. That email will not be acted on."),
    "record.notice": _both(
        "Lo que diga ahora se grabará y se conservará cifrado.",
        "What you say now is recorded, and kept encrypted.",
    ),
    "record.end": _both("Termine con almohadilla.", "End with the hash key."),
    "record.too_short": _both(
        "Apenas hemos oído nada. Inténtelo otra vez.", "We heard hardly anything. Please repeat."
    ),
    "record.nothing": _both("No hemos oído nada que guardar.", "We heard nothing that could be kept."),
    "message.speak": _both("Deje su mensaje tras la señal.", "Leave your message after the tone."),
    "message.kept": _both(
        "Su mensaje está guardado. Una persona se ocupará de él.", "Your message is kept. A person will deal with it."
    ),
    "message.kept_with": _both("Su mensaje está guardado en la solicitud", "Your message is kept with case"),
    "away.sorry": _both(
        "En este momento no podemos consultar nuestros registros. No se pierde nada: lo que diga se graba y cuenta "
        "desde ahora.",
        "Our records cannot be reached at the moment. Nothing is lost: what you say is recorded and counts from now.",
    ),
    "away.kept": _both(
        "Lo que ha indicado está anotado y cuenta desde ahora, aunque en este momento no podamos consultar nuestros "
        "registros. Una persona le llamará en cuanto podamos.",
        "What you told us is noted and counts from now, although our records cannot be reached at the moment. A person "
        "will call you back as soon as they can.",
    ),
    "queue.place": _both("Le atenderemos enseguida. Su turno es el número", "Please hold. You are number"),
    "queue.star": _both(
        "Para dejar un mensaje en vez de esperar, pulse asterisco.",
        "To leave a message rather than wait, press star.",
    ),
    "queue.nobody": _both(
        "Ahora mismo ningún ingeniero puede atender la llamada.", "No engineer can take your call at this moment."
    ),
}

_ENGINEERS: Mapping[str, Mapping[Language, str]] = {
    "offer.waits": _both("Hay un cliente en línea.", "A customer is on the line."),
    "offer.no_case": _both("Sin solicitud.", "No case."),
    "offer.known": _both("Empresa", "Company"),
    "offer.unknown": _both("No sabemos quién llama.", "We do not know who is calling."),
    "offer.menu": _both(
        "Para atender la llamada, pulse 1. Para rechazarla, pulse 2. Para repetir, pulse 9.",
        "To take the call, press 1. To decline, press 2. To repeat, press 9.",
    ),
    "offer.accepted": _both("Le ponemos en línea.", "Connecting you now."),
    "page.alarm": _both("Aviso de Guardia.", "Alarm from Guardia."),
    "page.menu": _both(
        "Para confirmar el aviso, pulse 1: la solicitud será suya si no la tiene nadie. Para pasarlo, pulse 2. Para "
        "repetir, pulse 9.",
        "To acknowledge, press 1: you take the case if nobody has it. To pass it on, press 2. To repeat, press 9.",
    ),
    "page.acknowledged": _both("Aviso confirmado, gracias.", "Acknowledged, thank you."),
    "page.passed_on": _both("De acuerdo, pasa a otra persona.", "All right, it goes to somebody else."),
    "clock.response": _both("Plazo de respuesta:", "Response time:"),
    "clock.next_answer": _both("Plazo de la siguiente respuesta:", "Time to the next answer:"),
    "clock.resolution": _both("Plazo de resolución:", "Time to a solution:"),
    "clock.assignment": _both("Plazo de asignación:", "Time to assignment:"),
    "mark.50": _both("ha transcurrido la mitad.", "half of it is used."),
    "mark.75": _both("han transcurrido tres cuartas partes.", "three quarters of it are used."),
    "mark.90": _both("ha transcurrido el noventa por ciento.", "ninety percent of it is used."),
    "mark.breach": _both("se ha incumplido.", "it has been breached."),
    "mark.called": _both("El cliente la ha confirmado por teléfono.", "The customer has confirmed it by phone."),
    "mark.unassigned": _both("No la tiene ningún ingeniero.", "No engineer has it."),
}

CATALOGUE: Final[Mapping[str, Mapping[Language, str]]] = {
    **_KNOWING,
    **_MENUS,
    **_CASES,
    **_DOING,
    **_ENGINEERS,
    **NUMBERS,
}
"""Every prompt by its key; `TONES` are not in it."""
