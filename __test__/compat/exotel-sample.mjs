// The samples of Exotel's integration document, word for word; what they call that is the application's is `ui`.
/* eslint-disable */
export function sample(exWebClient, ui) {
  const { setRegState, setCallComing, setCallState } = ui
  let call
  let callOnMute = false
  let callOnHold = false
  let unregisterWait = 'true'

function RegisterEventCallBack (state, phone){
   if (state === 'registered') { // Successful registration
      setRegState(true)
   } else if (state === 'unregistered') { //Successful unregistration
      setRegState(false)
   } else if (state === 'terminated') { //Registration/Unregistration failed
      setRegState(false)
   } else if (state === 'sent_request') { //Registration/Unregistration Request Sent
   if (unregisterWait === "true") {
      unregisterWait = "false";
      setRegState(false)
   }
   }
}

function CallListenerCallback(callObj, eventType, phone) {
  if (eventType === 'incoming') { //Incoming Call
    setCallComing(true)
} else if (eventType === 'connected') { //Call in connected state
    setCallComing(false)
    setCallState(true)
} else if (eventType === 'callEnded') { //Call ended
    setCallComing(false)
    setCallState(false)
} else if (eventType === 'terminated') { //Call terminated
    setCallComing(false)
    setCallState(false)
}
}

function acceptCallHandler() {
    call = exWebClient.getCall()
    call.Answer();
}

function rejectCallHandler() {
    call = exWebClient.getCall()
    call.Hangup();
}

function muteHandler() {
    call = exWebClient.getCall()

    //call.MuteToggle(); // or

    if (!callOnMute) {
        call.Mute()
        callOnMute = true
    } else {
        call.UnMute()
        callOnMute = false
    }
}

function holdHandler() {
   call = exWebClient.getCall()

//call.HoldToggle(); // or

if (!callOnHold) {
   call.Hold()
   callOnHold = true
} else {
   call.UnHold()
   callOnHold = false
}
}

  return { RegisterEventCallBack, CallListenerCallback, acceptCallHandler, rejectCallHandler, muteHandler, holdHandler }
}

/** The document's session callback; `window` is its sessionStorage. */
export function sessionSample(window, { setMessage, setOpen, sendAutoRegistration }) {
function SessionCallback(callState, phone) {
   /* * SessionCallback is triggered whenever an incoming call arrives
    * which needs to be handled across tabs */
   switch(callState){
     case 'incoming':
      console.log('incoming call' + phone)
      /* * Display a different notification popup in case of child tabs */
      if(window.sessionStorage.getItem('activeSessionTab') !== 'parent0'){
       const message = 'Incoming call from ' + phone + ' ,Switch tab to find dialpad'
       setMessage(message);
      }
     break;
     case 'callEnded':
       /* * When call is either accepted or rejected then this is gets shutdown */
      console.log('call ended' + phone)
      setOpen(false);
     break;
     case 'connected':
       /* * When call is connected close the notification popup on child tabs */
      console.log('call connected' + phone)
      setOpen(false);
     break;
     case 're-register':
       /* * In case if the main/parent tab is closed then make the subsequent tab in the tab list as
the parent tab
       * and send register for the same and also make that tab as the master */
       window.sessionStorage.removeItem('activeSessionTab');
       window.sessionStorage.setItem('activeSessionTab', 'parent0');
       sendAutoRegistration();
      break;
    }
 };
  return SessionCallback
}
