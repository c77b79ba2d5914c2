"""What Bacs and the banks send: submissions in Standard 18, and advices in XML."""
